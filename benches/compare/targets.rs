//! What was to be reached, and whether it was.

use crate::contestant::Who;
use crate::figures::{Figures, What};
use crate::picture::thousands;

/// A row of the table.
pub struct Row {
    pub what: String,
    pub to_reach: String,
    pub measured: String,
    pub ratio: String,
    /// Whether it was reached; `None` where it was not measured.
    pub reached: Option<bool>,
}

/// A bound on the ratio of two figures, or on one figure.
#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
    Below(f64),
    Above(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Bound::AtMost(bound) => figure <= bound,
            Bound::AtLeast(bound) => figure >= bound,
            Bound::Below(bound) => figure < bound,
            Bound::Above(bound) => figure > bound,
        }
    }

    fn text(self) -> String {
        match self {
            Bound::AtMost(bound) => format!("≤ {bound}"),
            Bound::AtLeast(bound) => format!("≥ {bound}"),
            Bound::Below(bound) => format!("< {bound}"),
            Bound::Above(bound) => format!("> {bound}"),
        }
    }
}

/// What the original implementation took in the same work, measured elsewhere as a multiple of the floor.
const ORIGINAL_ENQUEUE: f64 = 1.3;
const ORIGINAL_DEQUEUE_AT_1000: f64 = 8.0;

pub fn rows(figures: &Figures) -> Vec<Row> {
    let table = Table(figures);
    let us = |figure: f64| format!("{figure:.0} µs");
    let deep = format!(
        "dequeue and remove at {} waiting",
        thousands(figures.waiting)
    );
    let per_second = |figure: f64| format!("{figure:.0}/s");
    let mut rows = vec![
        table.against(
            "durable enqueue, one producer",
            (What::Enqueue, Who::RustFull),
            (What::Enqueue, Who::FloorStrict),
            Bound::AtMost(0.6),
            "the floor's strict loop",
            us,
        ),
        table.through_floor(
            "the same",
            (What::Enqueue, Who::RustFull),
            (What::Enqueue, Who::FloorStrict),
            ORIGINAL_ENQUEUE,
            Bound::AtMost(0.5),
        ),
    ];
    for (who, bound) in [
        (Who::Beanstalkd, Bound::AtLeast(1.2)),
        (Who::Redis, Bound::Above(1.0)),
        (Who::Litequeue, Bound::Above(1.0)),
    ] {
        rows.push(table.against(
            "four producers, four consumers, durable",
            (What::FourAndFour, Who::RustFull),
            (What::FourAndFour, who),
            bound,
            who.label(),
            per_second,
        ));
    }
    rows.extend([
        table.against(
            "batches of 64, durable",
            (What::Batches, Who::RustFull),
            (What::Batches, Who::FloorOrdered),
            Bound::AtLeast(0.9),
            "the floor",
            per_second,
        ),
        table.against(
            "enqueue, not durable",
            (What::Enqueue, Who::Rust),
            (What::Enqueue, Who::Floor),
            Bound::AtMost(1.15),
            "the floor",
            us,
        ),
        table.against(
            "dequeue and remove at 1,000 waiting",
            (What::DequeueAt1000, Who::Rust),
            (What::DequeueAt1000, Who::Floor),
            Bound::AtMost(1.4),
            "the floor",
            us,
        ),
        table.through_floor(
            "the same",
            (What::DequeueAt1000, Who::Rust),
            (What::DequeueAt1000, Who::Floor),
            ORIGINAL_DEQUEUE_AT_1000,
            Bound::AtMost(0.2),
        ),
        table.against(
            &deep,
            (What::DequeueDeep, Who::Rust),
            (What::DequeueDeep, Who::Floor),
            Bound::AtMost(1.4),
            "the floor",
            us,
        ),
        table.against(
            "four producers, four consumers, not durable",
            (What::FourAndFour, Who::Rust),
            (What::FourAndFour, Who::Dirq),
            Bound::Above(1.0),
            Who::Dirq.label(),
            per_second,
        ),
        table.against(
            "dequeue and remove at 1,000,000 waiting",
            (What::DequeueAtMillion, Who::Rust),
            (What::DequeueAt1000, Who::Rust),
            Bound::AtMost(1.3),
            "at 1,000",
            us,
        ),
        table.alone(
            "first of 1,000,000, of a process that has just started",
            (What::FirstOfMillion, Who::Rust),
            Bound::Below(1.0),
            "s",
        ),
        table.alone(
            "the same, with nothing of the queue in memory",
            (What::FirstOfMillionFromDisk, Who::Rust),
            Bound::Below(1.0),
            "s",
        ),
        table.against(
            "from enqueue to a waiting consumer in another process, not durable, median",
            (What::Latency, Who::Rust),
            (What::Latency, Who::Floor),
            Bound::AtMost(1.25),
            "the floor",
            us,
        ),
        table.alone(
            "the same, slowest in a hundred",
            (What::LatencyTail, Who::Rust),
            Bound::AtMost(600.0),
            "µs",
        ),
        table.against(
            "8 consumers instead of 1",
            (What::EightConsumers, Who::Rust),
            (What::OneConsumer, Who::Rust),
            Bound::AtLeast(1.0),
            "1 consumer",
            per_second,
        ),
        table.alone(
            "failed claims of 8 consumers, of all",
            (What::FailedClaims, Who::Rust),
            Bound::Below(0.1),
            "",
        ),
    ]);
    for (who, through, bound) in [
        (Who::C, "through C", Bound::AtMost(1.02)),
        (Who::Go, "through Go", Bound::AtMost(1.05)),
        (Who::Ruby, "through Ruby", Bound::AtMost(1.2)),
    ] {
        for (what, does) in [
            (What::Enqueue, "enqueue"),
            (What::Dequeue, "dequeue and remove"),
        ] {
            rows.push(table.against(
                &format!("{does} {through}"),
                (what, who),
                (what, Who::Rust),
                bound,
                "Rust",
                us,
            ));
        }
    }
    rows.extend([
        table.alone(
            "memory of an idle reader",
            (What::IdleMemory, Who::Rust),
            Bound::Below(8.0),
            "MiB",
        ),
        table.alone(
            "memory of a consumer at 1,000,000",
            (What::MemoryAtMillion, Who::Rust),
            Bound::Below(64.0),
            "MiB",
        ),
    ]);
    rows
}

type Of = (What, Who);

struct Table<'a>(&'a Figures);

impl Table<'_> {
    /// One figure against another.
    fn against(
        &self,
        what: &str,
        of: Of,
        to: Of,
        bound: Bound,
        called: &str,
        text: impl Fn(f64) -> String,
    ) -> Row {
        let ratio = self.0.ratio(of, to);
        let shown = |of: Of| self.0.median(of.0, of.1).map_or("–".to_owned(), &text);
        let measured = match self.0.missing().get(&to.1) {
            Some(reason) => format!("{}; {called}: {reason}", shown(of)),
            None => format!("{}; {called}: {}", shown(of), shown(to)),
        };
        Row {
            what: what.to_owned(),
            to_reach: format!("{} × {called}", bound.text()),
            measured,
            ratio: ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")),
            reached: ratio.map(|ratio| bound.holds(ratio)),
        }
    }

    /// Against the original, which is known as so many times the floor.
    fn through_floor(&self, what: &str, of: Of, floor: Of, times: f64, bound: Bound) -> Row {
        let ratio = self.0.ratio(of, floor).map(|ratio| ratio / times);
        Row {
            what: what.to_owned(),
            to_reach: format!("{} × the original", bound.text()),
            measured: format!("the original is {times} × the floor"),
            ratio: ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")),
            reached: ratio.map(|ratio| bound.holds(ratio)),
        }
    }

    fn alone(&self, what: &str, of: Of, bound: Bound, unit: &str) -> Row {
        let figure = self.0.median(of.0, of.1);
        let digits = if unit == "µs" { 0 } else { 2 };
        Row {
            what: what.to_owned(),
            to_reach: format!("{} {unit}", bound.text()).trim().to_owned(),
            measured: figure.map_or("–".to_owned(), |figure| {
                format!("{figure:.digits$} {unit}").trim().to_owned()
            }),
            ratio: String::new(),
            reached: figure.map(|figure| bound.holds(figure)),
        }
    }
}
