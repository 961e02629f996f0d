//! The log: one JSON object a line, with the fields of [`contract::LogField`]. No line with card data in it is written.

use std::fmt;
use std::io::Write;
use std::panic::PanicHookInfo;

use contract::LogField;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::clock::{Clock, SystemClock, rfc3339};
use super::traces::Traces;
use crate::pan;

tokio::task_local! {
    /// The request that is being answered.
    pub static REQUEST: String;
}

/// Writes each event as a line.
struct Lines {
    environment: Option<String>,
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), Value::String(format!("{value:?}")));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), Value::String(value.to_owned()));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

/// An event as a line; what looks like card data is left out.
fn line(now_ms: u64, level: Level, environment: Option<&str>, event: Map<String, Value>) -> String {
    let mut object = Map::new();
    object.insert(LogField::Timestamp.name().to_owned(), rfc3339(now_ms).into());
    object.insert(LogField::Level.name().to_owned(), level.to_string().into());
    if let Ok(request) = REQUEST.try_with(Clone::clone) {
        object.insert(LogField::RequestId.name().to_owned(), request.into());
    }
    if let Some(environment) = environment {
        object.insert(LogField::Environment.name().to_owned(), environment.into());
    }
    for (key, value) in event {
        let clean = match &value {
            // Half an address of IPv6 reads as four groups of four digits now and then.
            _ if key == LogField::Peer.name() => true,
            Value::String(text) => pan::scan(text.as_bytes()).is_none(),
            _ => true,
        };
        object.insert(key, if clean { value } else { "(withheld: card data)".into() });
    }
    let mut text = Value::Object(object).to_string();
    text.push('\n');
    text
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let text =
            line(SystemClock.now_ms(), *event.metadata().level(), self.environment.as_deref(), fields.0);
        // A log that cannot be written is no reason to stop.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Starts the log, and traces beside it. Libraries are heard only where they warn.
pub fn start(level: LevelFilter, environment: Option<String>, traces: Option<&Traces>) {
    let own = tracing_subscriber::filter::Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("txn_reconcile_api", level);
    // Without traces nobody asks for spans, and none are made.
    let lines = Lines { environment }.with_filter(own.and(filter_fn(|meta| meta.is_event())));
    let _ = Registry::default().with(lines).with(traces.map(Traces::layer)).try_init();
    std::panic::set_hook(Box::new(panicked));
}

/// A panic as an event: where it was, and what it says where that is a text of the program. What was put together may
/// hold what was sent.
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload().downcast_ref::<&'static str>().unwrap_or(&"(withheld)");
    tracing::error!("a fault of the service at {place}: {why}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps the messages of events.
    #[derive(Clone, Default)]
    struct Heard(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Heard {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut fields = Fields(Map::new());
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0["message"].to_string());
        }
    }

    #[test]
    fn a_panic_is_an_event_that_repeats_nothing() {
        let heard = Heard::default();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(panicked));
        tracing::subscriber::with_default(Registry::default().with(heard.clone()), || {
            let sent = std::hint::black_box("what was sent");
            let _ = std::panic::catch_unwind(|| panic!("a text of the program"));
            let _ = std::panic::catch_unwind(|| panic!("it was {sent}"));
        });
        std::panic::set_hook(before);
        let heard = heard.0.lock().unwrap();
        assert!(heard[0].contains("log.rs") && heard[0].contains("a text of the program"), "{heard:?}");
        assert!(heard[1].contains("log.rs") && !heard[1].contains("sent"), "{heard:?}");
    }

    #[test]
    fn card_numbers_are_kept_out() {
        let mut event = Map::new();
        event.insert("message".to_owned(), "refused 4111 1111 1111 1111".into());
        let text = line(0, Level::INFO, Some("prod"), event);
        assert!(!text.contains("1111"), "{text}");
        assert!(text.contains("withheld") && text.contains("1970-01-01T00:00:00.000000Z"), "{text}");
    }
}
