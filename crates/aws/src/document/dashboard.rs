//! CloudWatch dashboards: widgets in rows on a grid of 24 columns.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>

use std::borrow::Cow;

use terraform::kind::Text;
use terraform::{Expr, IntoExpr, Key, NonEmpty, Number, TextPart, Value, concat};

use crate::kind::{self, CloudwatchLogGroupName};

/// The columns of the grid.
pub const COLUMNS: u16 = 24;

/// The greatest height of a widget, in units of the grid.
pub const HEIGHT_MAX: u16 = 1000;

/// A dashboard, filled row by row. Positions follow from the rows, so that no two widgets overlap and one more moves
/// only what stands behind it. CloudWatch shows at most 500 widgets on a dashboard.
pub struct Dashboard {
    region: String,
    widgets: Vec<Value>,
    bottom: u16,
}

impl Dashboard {
    /// An empty dashboard of metrics, logs and alarms of this region, such as `us-east-1`.
    pub fn in_region(region: impl Into<String>) -> Self {
        Self { region: region.into(), widgets: Vec::new(), bottom: 0 }
    }

    /// Adds a row of widgets below the others, from the left, `height` units of the grid high (1 to 1000; a graph
    /// reads well at 6). What does not fit into the 24 columns goes on in a further row of the same height.
    #[must_use]
    pub fn row(mut self, height: u16, widgets: impl IntoIterator<Item = Widget>) -> Self {
        let height = height.clamp(1, HEIGHT_MAX);
        let (mut left, mut used) = (0, false);
        for widget in widgets {
            let width = widget.width.clamp(1, COLUMNS);
            if left + width > COLUMNS {
                self.bottom += height;
                left = 0;
            }
            let value = widget.place(&self.region, [left, self.bottom, width, height]);
            self.widgets.push(value);
            left += width;
            used = true;
        }
        self.bottom += if used { height } else { 0 };
        self
    }
}

impl IntoExpr<kind::Dashboard> for Dashboard {
    fn into_expr(self) -> Expr<kind::Dashboard> {
        Expr::document(object([("widgets", Value::List(self.widgets))]))
    }
}

/// Something that a dashboard shows, so many columns wide.
pub struct Widget {
    kind: &'static str,
    width: u16,
    regional: bool,
    properties: Vec<(Key, Value)>,
}

impl Widget {
    /// Text in Markdown.
    pub fn text(width: u16, markdown: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: "text",
            width,
            regional: false,
            properties: vec![("markdown".into(), Value::string(markdown))],
        }
    }

    /// Metrics, as a graph or as numbers.
    pub fn metrics(width: u16, metrics: Metrics) -> Self {
        let Metrics { title, series, optional } = metrics;
        let mut properties = vec![
            ("title".into(), Value::String(title)),
            ("metrics".into(), Value::List(series.into_iter().map(Series::into_value).collect())),
            ("view".into(), Value::string(optional.view.name())),
            ("stacked".into(), Value::Bool(optional.stacked)),
            ("stat".into(), Value::String(optional.statistic)),
            ("period".into(), Value::Number(optional.period_seconds.into())),
        ];
        if let Some(label) = optional.left_axis {
            let left = object([("label", Value::String(label)), ("min", Value::Number(0.into()))]);
            properties.push(("yAxis".into(), object([("left", left)])));
        }
        if !optional.thresholds.is_empty() {
            let lines = optional.thresholds.into_iter().map(Threshold::into_value).collect();
            properties.push(("annotations".into(), object([("horizontal", Value::List(lines))])));
        }
        Self { kind: "metric", width, regional: true, properties }
    }

    /// The result of a query over log groups.
    ///
    /// `query` is in the language of CloudWatch Logs Insights, without its `SOURCE` commands:
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html>
    pub fn logs(
        width: u16,
        title: impl Into<Cow<'static, str>>,
        groups: NonEmpty<Expr<CloudwatchLogGroupName>>,
        query: impl Into<String>,
        view: LogView,
    ) -> Self {
        let sources = groups
            .into_iter()
            .flat_map(|group| [TextPart::from("SOURCE '"), TextPart::from(group), TextPart::from("' | ")]);
        let query = concat::<Text>(sources.chain([TextPart::from(query.into())]));
        let properties = vec![
            ("title".into(), Value::string(title)),
            ("query".into(), query.into_value()),
            ("view".into(), Value::string(view.name())),
        ];
        Self { kind: "log", width, regional: true, properties }
    }

    /// The states of alarms, by ARN; at most 100.
    pub fn alarms(width: u16, title: impl Into<Cow<'static, str>>, alarms: NonEmpty<Expr<Text>>) -> Self {
        let properties = vec![
            ("title".into(), Value::string(title)),
            ("alarms".into(), Value::List(alarms.into_iter().map(Expr::into_value).collect())),
        ];
        Self { kind: "alarm", width, regional: false, properties }
    }

    fn place(mut self, region: &str, [x, y, width, height]: [u16; 4]) -> Value {
        if self.regional {
            self.properties.push(("region".into(), Value::string(region.to_owned())));
        }
        let number = |n: u16| Value::Number(n.into());
        object([
            ("type", Value::string(self.kind)),
            ("x", number(x)),
            ("y", number(y)),
            ("width", number(width)),
            ("height", number(height)),
            ("properties", Value::Object(self.properties)),
        ])
    }
}

/// What a metric widget shows.
pub struct Metrics {
    /// Above the graph.
    pub title: Cow<'static, str>,
    /// The lines, bars or numbers.
    pub series: NonEmpty<Series>,
    /// The rest.
    pub optional: MetricsOptional,
}

/// The optional part of [`Metrics`].
pub struct MetricsOptional {
    /// How the series are shown. As lines over time.
    pub view: View,
    /// Whether lines stand on top of each other. False.
    pub stacked: bool,
    /// The statistic of series that name none, such as `Sum` or `p99`. `Average`.
    pub statistic: Cow<'static, str>,
    /// Seconds that a data point sums up: 1, 5, 10, 20, 30 or a multiple of 60. 60.
    pub period_seconds: u32,
    /// The left axis's label, with the unit; the axis then begins at 0. Without one CloudWatch chooses.
    pub left_axis: Option<Cow<'static, str>>,
    /// Horizontal lines, such as an alarm's threshold.
    pub thresholds: Vec<Threshold>,
}

impl Default for MetricsOptional {
    fn default() -> Self {
        Self {
            view: View::Lines,
            stacked: false,
            statistic: "Average".into(),
            period_seconds: 60,
            left_axis: None,
            thresholds: Vec::new(),
        }
    }
}

/// How metrics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Lines over time.
    Lines,
    /// The latest value of each series, as a number.
    Numbers,
    /// A bar for each series.
    Bars,
    /// A share of a whole for each series.
    Pie,
}

impl View {
    const fn name(self) -> &'static str {
        match self {
            Self::Lines => "timeSeries",
            Self::Numbers => "singleValue",
            Self::Bars => "bar",
            Self::Pie => "pie",
        }
    }
}

/// How the result of a log query is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogView {
    /// A table of the records.
    Table,
    /// Lines over time, of a query that groups by `bin(…)`.
    Lines,
    /// A bar for each group of a query that groups.
    Bars,
    /// A share of a whole for each group.
    Pie,
}

impl LogView {
    const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Lines => "timeSeries",
            Self::Bars => "bar",
            Self::Pie => "pie",
        }
    }
}

/// A horizontal line in a graph.
pub struct Threshold {
    /// What it stands for.
    pub label: Cow<'static, str>,
    /// Where it stands, in the unit of the left axis.
    pub value: Number,
}

impl Threshold {
    fn into_value(self) -> Value {
        object([("label", Value::String(self.label)), ("value", Value::Number(self.value))])
    }
}

/// A metric, or an expression over others, in a metric widget.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html#CloudWatch-Dashboard-Properties-Metrics-Array-Format>
pub struct Series {
    metric: Vec<Value>,
    rendering: Vec<(Key, Value)>,
}

impl Series {
    /// A metric by its namespace, name and dimensions: `AWS/ApplicationELB`, `RequestCount`, the load balancer's.
    pub fn metric<D: IntoExpr<Text>>(
        namespace: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        dimensions: impl IntoIterator<Item = (&'static str, D)>,
    ) -> Self {
        let mut metric = vec![Value::string(namespace), Value::string(name)];
        for (key, value) in dimensions {
            metric.extend([Value::string(key), value.into_expr().into_value()]);
        }
        Self { metric, rendering: Vec::new() }
    }

    /// An expression over the series of the same widget that have an id, such as `100 * errors / requests`.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>
    pub fn expression(expression: impl Into<Cow<'static, str>>) -> Self {
        Self { metric: Vec::new(), rendering: Vec::new() }.with("expression", Value::string(expression))
    }

    /// What the legend calls it.
    #[must_use]
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Self {
        self.with("label", Value::string(label))
    }

    /// What expressions call it: a lower-case letter, then letters, digits and underscores.
    #[must_use]
    pub fn id(self, id: &'static str) -> Self {
        self.with("id", Value::string(id))
    }

    /// Its own statistic, in place of the widget's.
    #[must_use]
    pub fn statistic(self, statistic: impl Into<Cow<'static, str>>) -> Self {
        self.with("stat", Value::string(statistic))
    }

    /// Measured along the axis on the right.
    #[must_use]
    pub fn on_right(self) -> Self {
        self.with("yAxis", Value::string("right"))
    }

    /// Not shown itself; expressions use it.
    #[must_use]
    pub fn hidden(self) -> Self {
        self.with("visible", Value::Bool(false))
    }

    fn with(mut self, key: &'static str, value: Value) -> Self {
        self.rendering.push((Key::Borrowed(key), value));
        self
    }

    fn into_value(mut self) -> Value {
        if !self.rendering.is_empty() {
            self.metric.push(Value::Object(self.rendering));
        }
        Value::List(self.metric)
    }
}

fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (Key::Borrowed(key), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widgets(dashboard: Dashboard) -> Vec<Value> {
        let Value::Document(document) = dashboard.into_expr().into_value() else { panic!("a document") };
        document.content.get("widgets").and_then(Value::as_list).expect("widgets").to_vec()
    }

    /// `[x, y, width, height]`
    fn place(widget: &Value) -> [Option<&Value>; 4] {
        ["x", "y", "width", "height"].map(|key| widget.get(key))
    }

    fn property<'a>(widget: &'a Value, key: &str) -> &'a Value {
        widget.get("properties").and_then(|properties| properties.get(key)).expect("the property")
    }

    #[test]
    fn rows_stand_below_each_other_and_wrap() {
        let text = |width| Widget::text(width, "");
        let all = widgets(
            Dashboard::in_region("us-east-1")
                .row(2, [text(24)])
                .row(3, [])
                .row(6, [text(12), text(8), text(8)])
                .row(1, [text(30)]),
        );
        let expected = [[0, 0, 24, 2], [0, 2, 12, 6], [12, 2, 8, 6], [0, 8, 8, 6], [0, 14, 24, 1]];
        assert_eq!(all.len(), expected.len());
        for (widget, numbers) in all.iter().zip(expected) {
            let numbers = numbers.map(|n: i32| Value::Number(n.into()));
            assert_eq!(place(widget), numbers.each_ref().map(Some));
        }
    }

    #[test]
    fn metrics_are_arrays_with_their_rendering_last() {
        let series = NonEmpty::new(
            Series::metric("AWS/ApplicationELB", "RequestCount", [("LoadBalancer", "app/main/1")])
                .id("requests")
                .hidden(),
            [Series::expression("requests / 60").label("per second")],
        );
        let threshold = Threshold { label: "alarm".into(), value: 0.5.into() };
        let optional =
            MetricsOptional { statistic: "Sum".into(), thresholds: vec![threshold], ..Default::default() };
        let widget = Widget::metrics(12, Metrics { title: "Requests".into(), series, optional });
        let widget = &widgets(Dashboard::in_region("eu-central-1").row(6, [widget]))[0];
        assert_eq!(widget.get("type").and_then(Value::as_str), Some("metric"));
        assert_eq!(property(widget, "region").as_str(), Some("eu-central-1"));
        assert_eq!(property(widget, "stat").as_str(), Some("Sum"));
        let metrics = Value::List(vec![
            Value::List(vec![
                Value::string("AWS/ApplicationELB"),
                Value::string("RequestCount"),
                Value::string("LoadBalancer"),
                Value::string("app/main/1"),
                object([("id", Value::string("requests")), ("visible", Value::Bool(false))]),
            ]),
            Value::List(vec![object([
                ("expression", Value::string("requests / 60")),
                ("label", Value::string("per second")),
            ])]),
        ]);
        assert_eq!(property(widget, "metrics"), &metrics);
        let line = object([("label", Value::string("alarm")), ("value", Value::Number(0.5.into()))]);
        assert_eq!(property(widget, "annotations").get("horizontal"), Some(&Value::List(vec![line])));
    }

    #[test]
    fn a_log_query_names_every_source() {
        let groups = NonEmpty::new(Expr::external("/api"), [Expr::external("aws-waf-logs-api")]);
        let widget = Widget::logs(24, "Refused", groups, "fields @timestamp | limit 20", LogView::Table);
        let widget = &widgets(Dashboard::in_region("us-east-1").row(6, [widget]))[0];
        assert_eq!(
            property(widget, "query").as_str(),
            Some("SOURCE '/api' | SOURCE 'aws-waf-logs-api' | fields @timestamp | limit 20")
        );
    }

    #[test]
    fn alarms_have_no_region_of_their_own() {
        let widget = Widget::alarms(24, "Alarms", NonEmpty::one(Expr::new("arn:aws:cloudwatch:…")));
        let widget = &widgets(Dashboard::in_region("us-east-1").row(2, [widget]))[0];
        assert_eq!(widget.get("type").and_then(Value::as_str), Some("alarm"));
        assert_eq!(widget.get("properties").and_then(|p| p.get("region")), None);
    }
}
