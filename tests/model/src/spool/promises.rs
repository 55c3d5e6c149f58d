//! What must hold of a spool at every moment, and what must become of it when all is quiet.

use stateright::Property;

use super::disk::{PROCESSES, Place};
use super::{Process, Recover, Repair, Spool, State, Task, steps_of};

/// The promises of every model.
pub fn always() -> Vec<Property<Spool>> {
    vec![
        Property::always("no entry is lost", no_entry_is_lost),
        Property::always("no entry is without its data", no_entry_is_without_its_data),
        Property::always("an entry has one owner", an_entry_has_one_owner),
        Property::always("nothing goes wrong", |_, state: &State| {
            state.wrong.is_none()
        }),
        Property::always("all ends in a queue, or is gone", all_ends_well),
    ]
}

/// An acknowledged entry is in one place, and has its reservation. Its owner may be removing it.
fn no_entry_is_lost(model: &Spool, state: &State) -> bool {
    let mut places = state.disk.places();
    match (state.entry, places.next(), places.next()) {
        (Some(id), Some((place, entry)), None) => {
            let is_reserved = state.disk.registry.is_some() || model.orphans;
            entry.of == id && (is_reserved || is_being_removed(state, place))
        }
        (Some(_), _, _) => false,
        // The entry of a removal that is not acknowledged yet is none.
        (None, None, None) => true,
        (None, _, _) => false,
    }
}

/// It has the data that it came with. Its owner may be removing it.
fn no_entry_is_without_its_data(_: &Spool, state: &State) -> bool {
    let has_data = |of| state.disk.data.is_some_and(|data| data.of == of);
    let mut places = state.disk.places();
    places.all(|(place, entry)| has_data(entry.of) || is_being_removed(state, place))
}

fn is_being_removed(state: &State, place: Place) -> bool {
    let mut processes = state.processes.iter();
    processes.any(|process| match (place, process) {
        (Place::Checkout(queue), Process::Worker(worker)) => {
            worker.removes() && worker.queue == queue
        }
        (Place::Checkout(queue), Process::Original(original)) => {
            original.removes() && original.queue == queue
        }
        _ => false,
    })
}

/// At most one living process has it in its hands, and that has it indeed.
fn an_entry_has_one_owner(_: &Spool, state: &State) -> bool {
    let mut owned = state.processes.iter().filter_map(|process| match process {
        Process::Worker(worker) => worker.owns(),
        Process::Original(original) => original.owns(),
        Process::Command { queue } => Some(*queue),
        _ => None,
    });
    match (owned.next(), owned.next()) {
        (None, _) => true,
        (Some(queue), None) => state.disk.checkout[queue as usize].is_some(),
        (Some(_), Some(_)) => false,
    }
}

/// When nobody is in the middle of anything, a recover and a repair leave the entry whole in one queue, or
/// nothing at all.
fn all_ends_well(model: &Spool, state: &State) -> bool {
    if !state.is_at_rest() {
        return true;
    }
    let end = closed(model, state);
    let disk = &end.disk;
    let waiting: Vec<_> = disk.waiting.iter().flatten().collect();
    let is_clean = disk.temporary.iter().all(Option::is_none)
        && disk.checkout.iter().all(Option::is_none)
        && end.wrong == state.wrong;
    is_clean
        && match (state.entry, &waiting[..]) {
            (Some(id), [entry]) => {
                entry.of == id
                    && disk.registry.is_some()
                    && disk.data.is_some_and(|data| data.of == id)
            }
            (None, []) => disk.registry.is_none() && disk.data.is_none(),
            _ => false,
        }
}

/// The spool after a recover and a repair that nobody disturbs.
fn closed(model: &Spool, state: &State) -> State {
    let mut state = *state;
    state.failures = 0;
    let alone = Spool {
        scans: false,
        departure: None,
        ..model.clone()
    };
    let repairs = Task::of(model).map(Repair::of);
    // An entry whose registry file a repair had to make can only be recovered after that.
    let recovers = [Recover::pass()];
    for process in recovers.into_iter().chain(repairs).chain(recovers) {
        state.disk.grow_old();
        state.processes = [Process::Done; PROCESSES];
        state.processes[0] = process;
        while state.processes[0] != Process::Done {
            let mut actions = Vec::new();
            steps_of(&alone, &state, 0, &mut actions);
            state = actions.swap_remove(0).next;
        }
    }
    state
}
