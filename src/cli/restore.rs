//! `txnr restore`: puts a restored data store in the place of a damaged one.

use super::aws_cli::Aws;
use super::output::{data, say};
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::{EnvConfig, load};
use crate::operate::restore::{self, Named, Places, Point, Step};
use crate::{emit, exit};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// Puts the records as they were at a point in the place of damaged ones
///
/// Prints the procedure as a script: the calls of aws and terraform, in order, with what to know before each. Both tables in
/// DynamoDB, or the database, are restored beside the damaged ones, which stay as they are, to the same second. With --run it
/// does the steps itself, and stops before those that need somebody to read what came before.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Restore {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: String,

    /// The second to go back to, in UTC: within the days that the store can be restored from, and at least five minutes ago
    #[arg(long, value_name = "TIME", value_parser = point)]
    point: Point,

    /// Name the restored stores in the environment's file, and do nothing else
    #[arg(long, conflicts_with_all = ["run", "from"])]
    edit: bool,

    /// Run the steps instead of printing them
    #[arg(long)]
    run: bool,

    /// The step to begin with
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    from: u8,

    #[command(flatten)]
    envs: EnvsFolder,

    /// The folder of the root modules
    #[arg(long, value_name = "DIR", default_value = "out", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
}

const EXAMPLES: &str = "Examples:
  txnr restore --env prod --point 2026-11-30T10:15:00Z           the procedure, to be read first
  txnr restore --env prod --point 2026-11-30T10:15:00Z --run     up to the plan
  txnr restore --env prod --point 2026-11-30T10:15:00Z --run --from 9
                                                                 the rest, once the plan has been read";

fn point(text: &str) -> Result<Point, String> {
    text.parse().map_err(|invalid: crate::config::Invalid| {
        format!("{}; allowed: {}", invalid.problem, invalid.allowed)
    })
}

impl Restore {
    pub(super) fn run(self) -> Result<(), Failure> {
        let loaded = check::load_some(&self.envs.folder, std::slice::from_ref(&self.name))?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let config = &environment.config;
        if config.data.dynamodb.is_none() && config.data.postgres.is_none() {
            let what = format!("{} keeps no records that could be restored", self.name);
            return Err(Failure::new(
                exit::USAGE,
                what,
                "stores that are not txnr's own are restored by whoever owns them",
            ));
        }
        if self.edit {
            return edit(&environment.path, &restore::names(config, &self.point));
        }
        let places = Places { envs: &self.envs.folder, out: &self.out };
        let steps = restore::steps(config, &self.point, places);
        let from = usize::from(self.from) - 1;
        let Some(rest) = steps.get(from..).filter(|rest| !rest.is_empty()) else {
            let what = format!("there is no step {}", self.from);
            return Err(Failure::new(exit::USAGE, what, format!("1 to {}", steps.len())));
        };
        self.refuse_to_restore_twice(config, rest)?;
        if self.run {
            Aws::of(config)?;
            return run(rest, from);
        }
        let text = restore::script(config, &self.point, rest, from);
        Ok(data(text.as_bytes())?)
    }

    /// The stores that the file names cannot be made from themselves.
    fn refuse_to_restore_twice(&self, config: &EnvConfig, rest: &[Step]) -> Result<(), Failure> {
        let restores =
            rest.iter().any(|step| step.commands.iter().any(|line| line.contains("to-point-in-time")));
        if !(restores && restore::is_named(config, &self.point)) {
            return Ok(());
        }
        let what = format!("the file of {} names what was restored to that point already", self.name);
        Err(Failure::new(
            exit::USAGE,
            what,
            "go on with --from behind the step that names it, or name another point",
        ))
    }
}

fn run(steps: &[Step], from: usize) -> Result<(), Failure> {
    // One shell for all: a step may set a variable for the next line.
    for (number, step) in (from + 1..).zip(steps) {
        if step.after_reading && number > from + 1 {
            say(format_args!("read the plan; if it is right, go on with --from {number}: {}", step.title));
            return Ok(());
        }
        say(format_args!("{number}. {}", step.title));
        if !step.note.is_empty() {
            say(format_args!("   {}", step.note));
        }
        if step.commands.is_empty() {
            continue;
        }
        let lines = step.commands.join("\n");
        let status = Command::new("sh").args(["-eu", "-c", &lines]).status();
        let why = match status {
            Ok(status) if status.success() => continue,
            Ok(status) => status.to_string(),
            Err(error) => format!("the shell could not be started: {error}"),
        };
        return Err(Failure::new(
            exit::STEP_FAILED,
            format!("step {number} failed: {why}"),
            format!(
                "mend the cause, run what is left of the step by hand, and go on with --from {}",
                number + 1
            ),
        ));
    }
    Ok(())
}

/// Names stores in a file, and leaves everything else in it as it is, comments included.
fn edit(path: &Path, names: &[Named]) -> Result<(), Failure> {
    let unreadable = |source| load::LoadError::Unreadable { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let mut document: DocumentMut = text.parse().map_err(anyhow::Error::from)?;
    for Named { path, name } in names {
        set(document.as_item_mut(), path, name);
    }
    let changed = document.to_string();
    check::parse(path, &changed).map_err(load::LoadError::Invalid)?;
    emit::write_file(path, changed.as_bytes())?;
    for Named { path, name } in names {
        say(format_args!("{} = {name}", path.join(".")));
    }
    Ok(())
}

/// Sets a text at a path, and makes the tables on the way in the form that those around them have.
fn set(item: &mut Item, path: &[&str], text: &str) {
    let Some((key, rest)) = path.split_first() else { return };
    let (inline, dotted) = (item.is_inline_table(), item.as_table().is_some_and(Table::is_dotted));
    let Some(table) = item.as_table_like_mut() else { return };
    if rest.is_empty() {
        let mut value = Value::from(text);
        if let Some(old) = table.get(key).and_then(Item::as_value) {
            *value.decor_mut() = old.decor().clone();
        }
        table.insert(key, Item::Value(value));
        return;
    }
    if !table.contains_key(key) {
        let made = if inline {
            Item::Value(Value::InlineTable(InlineTable::new()))
        } else {
            let mut made = Table::new();
            made.set_implicit(true);
            made.set_dotted(dotted);
            Item::Table(made)
        };
        table.insert(key, made);
    }
    if let Some(next) = table.get_mut(key) {
        set(next, rest, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_set_however_the_file_writes_the_tables_around_it() {
        let path = ["data", "dynamodb", "tables", "records"];
        for text in [
            "",
            "a = 1\n\n# why\n[data]\nstore = \"dynamodb\" # stays\n\n[service]\ncpu = 256\n",
            "data.store = \"dynamodb\"\na = 1\n",
            "data.dynamodb = { recovery_days = 7 }\n",
            "data = { dynamodb = { tables = { records = \"old-name\" } } }\n",
            "[data]\nstore = \"dynamodb\"\ndynamodb.recovery_days = 7\n",
            "[data.dynamodb.tables]\nrecords = \"old-name\" # restored\n",
            "[data.dynamodb]\nrecovery_days = 7\n[data.postgres]\nenabled = true\n",
        ] {
            let mut document: DocumentMut = text.parse().expect("TOML");
            set(document.as_item_mut(), &path, "new-name");
            let changed = document.to_string();
            let parsed: toml::Table = changed.parse().unwrap_or_else(|error| panic!("{changed}: {error}"));
            let at = path.iter().skip(1).fold(&parsed["data"], |value, key| &value[*key]);
            assert_eq!(at.as_str(), Some("new-name"), "{changed}");
            for kept in text.lines().filter(|line| !line.contains("old-name") && !line.contains("{ recovery"))
            {
                assert!(changed.contains(kept), "{kept:?} is gone: {changed}");
            }
            assert_eq!(text.contains("# restored"), changed.contains("# restored"));
        }
    }
}
