use paceline_plan::*; use std::time::Duration;
pub(crate) struct Forecast { pub(crate) sequential: Duration, pub(crate) phased: Duration, pub(crate) graph: Duration }
pub(crate) struct TextOptions { pub(crate) color: bool, pub(crate) width: usize }
pub(crate) fn mermaid(_: &Plan) -> String { String::new() }
pub(crate) fn dot(_: &Plan) -> String { String::new() }
pub(crate) fn json(_: &Plan, _: &Forecast) -> String { String::new() }
pub(crate) fn text(_: &Plan, f: &Forecast, o: &TextOptions) -> String { format!("{:?} {:?} {:?} {:?}\n", f.sequential, f.phased, f.graph, (o.color, o.width)) }
pub(crate) fn explain(_: &Plan, _: &str, _: Option<&str>) -> Result<String, PlanError> { Ok(String::new()) }
