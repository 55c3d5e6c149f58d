//! `wakeup`: two readers of one process, with all that they share, beside producers, a reader of another
//! process, a recover, and an entry that somebody makes by hand. How likely a wait for a lock is does not show
//! here: every order of the steps is as good as any other.

use crate::check::Checks;
use crate::reached::Reached;
use crate::readers::others::Other;
use crate::readers::reader::Call::{self, Available, Dequeue, Poll};
use crate::readers::{Departure, Readers};

const NO_WAKE_UP_IS_LOST: &str = "no wake-up is lost";

/// Both wait; one of them may be stopped.
fn waiting() -> Readers {
    Readers {
        calls: [&[Dequeue], &[Dequeue]],
        others: vec![
            Other::producer(0),
            Other::producer(1),
            Other::Reader { name: 0 },
        ],
        stops: 1,
        drops: false,
        releases: false,
        kernel_holds: 4,
        arrivals_held: 4,
        departure: None,
    }
}

/// The kernel and the source forget all but one arrival.
fn overflowing() -> Readers {
    Readers {
        kernel_holds: 1,
        arrivals_held: 1,
        stops: 0,
        ..waiting()
    }
}

/// Callers give back what they took, perhaps while the reader that it came from waits in another thread.
fn giving_back(calls: [&'static [Call]; 2], producers: u8) -> Readers {
    Readers {
        calls,
        others: (0..producers).map(Other::producer).collect(),
        stops: 0,
        releases: true,
        ..waiting()
    }
}

/// One entry has no registry file until a repair makes it; readers are dropped.
fn meeting_orphans() -> Readers {
    Readers {
        others: vec![Other::Hand { name: 0 }, Other::producer(1)],
        drops: true,
        ..waiting()
    }
}

/// One reader waits, the other does what these calls do.
fn beside(calls: &'static [Call]) -> Readers {
    Readers {
        calls: [calls, &[Dequeue]],
        others: vec![Other::producer(0), Other::producer(1)],
        stops: 0,
        ..waiting()
    }
}

/// With the bounds of the short form, or the long.
pub fn check(checks: &mut Checks, long: bool) {
    let available: &[_] = &[Dequeue, Available];
    let (twice, polls): (&[_], &[_]) = (&[Dequeue, Dequeue], &[Poll, Poll]);
    let met = [Reached::Taken, Reached::Busy];
    let gone = [Reached::Taken, Reached::Busy, Reached::Gone];
    let orphans = [Reached::Taken, Reached::Orphaned];
    checks.holds("wakeup", waiting(), &gone);
    checks.holds("wakeup: overflow", overflowing(), &met);
    checks.holds("wakeup: orphans", meeting_orphans(), &orphans);
    checks.holds("wakeup: available", beside(available), &met);
    checks.holds("wakeup: polls", beside(polls), &met);
    let producers = if long { 2 } else { 1 };
    for (calls, name) in [
        ([twice, &[Dequeue]], "given back, waits"),
        ([available, &[Dequeue]], "given back, available"),
        ([polls, &[Dequeue]], "given back, polls"),
    ] {
        let model = giving_back(calls, producers);
        checks.holds(&format!("wakeup: {name}"), model, &met);
    }
    if long {
        let all = Readers {
            drops: true,
            releases: true,
            stops: 1,
            others: waiting().others,
            ..beside(available)
        };
        checks.holds("wakeup: all at once", all, &met);
    }
    for (model, departure, name) in [
        (waiting(), Departure::ListsFirst, "lists before it watches"),
        (
            waiting(),
            Departure::BusyForgotten,
            "busy names not tried again",
        ),
        (waiting(), Departure::NobodyOffered, "leaves without a ring"),
        (
            waiting(),
            Departure::NobodyPromoted,
            "nobody leads after it",
        ),
        (
            overflowing(),
            Departure::OverflowForgotten,
            "overflow not listed",
        ),
        (
            meeting_orphans(),
            Departure::RestsEndUnseen,
            "a rest's end unseen",
        ),
        (
            meeting_orphans(),
            Departure::KeepsBadWhenDropped,
            "dropped with what was bad",
        ),
        (
            giving_back([twice, &[Dequeue]], 1),
            Departure::ReleaseUnheard,
            "a release unheard",
        ),
        (
            giving_back([polls, &[Dequeue]], 1),
            Departure::ReleaseUnheard,
            "a release unheard, polls",
        ),
        (
            beside(available),
            Departure::KeepsBusy,
            "available keeps busy",
        ),
        (beside(polls), Departure::KeepsBusy, "polls and keeps busy"),
    ] {
        checks.fails(
            &format!("wakeup: {name}"),
            model.departing(departure),
            NO_WAKE_UP_IS_LOST,
        );
    }
}
