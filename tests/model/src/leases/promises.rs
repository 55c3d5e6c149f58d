//! What must hold of a shared spool at every moment.

use stateright::Property;

use super::model::{At, Kind, Process, Shared, State};

pub fn of(model: &Shared) -> Vec<Property<Shared>> {
    let mut promises = vec![
        Property::always(super::NOT_LOST, |_, state: &State| {
            is_somewhere_or_removed(state)
        }),
        Property::always("an entry is in one place", |_, state: &State| {
            state.disk.queue.is_none() || state.disk.checkout.is_none()
        }),
        Property::always(super::ONE_OWNER, |model: &Shared, state: &State| {
            owners(model, state).nth(1).is_none()
        }),
        Property::always(super::TOLD, |_, state: &State| !state.not_told),
        Property::always(super::ONCE, |_, state: &State| !state.handed_twice),
    ];
    if model.is_limit {
        promises.push(Property::always(
            super::HAS_IT,
            |model: &Shared, state: &State| {
                let mut idle = owners(model, state).filter(|process| process.at == At::Has);
                idle.all(|_| state.disk.checkout.is_some())
            },
        ));
    }
    promises
}

/// Those who work on an entry, as far as they know, under a lease that lasts.
fn owners<'a>(model: &'a Shared, state: &'a State) -> impl Iterator<Item = &'a Process> {
    let lasts = |process: &&Process| process.works() && process.renewed < model.lease;
    state.processes.iter().filter(lasts)
}

/// An acknowledged entry is where a worker, a recover or who has it finds it.
fn is_somewhere_or_removed(state: &State) -> bool {
    let disk = &state.disk;
    let kept = state.processes.iter().zip(disk.own);
    let kept = kept.filter(|(process, _)| process.kind == Kind::Worker && process.at != At::Dead);
    let places = [disk.queue, disk.checkout].into_iter();
    let found = places.chain(kept.map(|(_, own)| own)).flatten();
    let found = found.fold(0, |found, entry| found | 1 << entry.of);
    state.entries & !found == 0
}
