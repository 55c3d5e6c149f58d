//! Every state that a file system may be in when the power comes back.

use std::collections::{BTreeSet, HashMap};

use crate::history::{Event, History, Naming, Node, NodeId, apply, name};
use crate::tree::Tree;

/// What a file system keeps in order. In each of them a sync of a directory makes all earlier changes of its
/// names durable, with all that had to be durable before them; a sync of a file makes its bytes durable, and
/// not its name; and bytes that were not synced are lost, or not, whatever became of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// One journal: all changes of names become durable in the order in which they were made.
    Journal,
    /// Each directory on its own keeps the order of the changes in it. A call that changes two names changes
    /// them at once, and belongs to both directories.
    Directories,
    /// As [`Directories`](Family::Directories), but a rename is two changes, each durable on its own: the file
    /// systems that promise the least. Between two acknowledgements nothing is promised there.
    Halves,
}

/// Those on which everything is promised.
pub const JOURNALED: &[Family] = &[Family::Journal, Family::Directories];

pub const ALL: &[Family] = &[Family::Journal, Family::Directories, Family::Halves];

/// Where the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cut {
    pub family: Family,
    /// How many events had happened.
    pub point: usize,
    /// How many of them were acknowledgements.
    pub acknowledged: usize,
}

/// A recording with more states than this is too much for one test.
const MOST_STATES: usize = 100_000;

/// All distinct states after cuts at `first` and later, for each number of acknowledgements. Where renames are two
/// changes each, only the cut at the end counts, if an acknowledgement is the last event.
pub fn states(
    history: &History,
    families: &[Family],
    first: usize,
) -> Result<Vec<(Tree, Cut)>, String> {
    let mut met: HashMap<(Tree, bool, usize), Cut> = HashMap::new();
    let last = history.events.len();
    for family in families.iter().copied() {
        let first = match (family, history.events.last()) {
            (Family::Halves, Some(Event::Acknowledged)) => last,
            (Family::Halves, _) => continue,
            _ => first,
        };
        for point in first..=last {
            let cut = Cut {
                family,
                point,
                acknowledged: history.acknowledged(point),
            };
            let mut cutting = Cutting::new(history, cut);
            if point > first {
                match &history.events[point - 1] {
                    // All other states were met before it.
                    Event::Names(_) => cutting.keep_newest(),
                    // It only takes states away.
                    sync if sync.is_sync() => continue,
                    _ => {}
                }
            }
            cutting.each(&mut |tree| {
                met.entry((tree, family == Family::Halves, cut.acknowledged))
                    .or_insert(cut);
                match met.len() > MOST_STATES {
                    true => Err(format!("more than {MOST_STATES} states")),
                    false => Ok(()),
                }
            })?;
        }
    }
    let mut states: Vec<(Tree, Cut)> = met
        .into_iter()
        .map(|((tree, ..), cut)| (tree, cut))
        .collect();
    states.sort_by(|(a, a_cut), (b, b_cut)| (a_cut, a).cmp(&(b_cut, b)));
    Ok(states)
}

/// One change that is durable as a whole or not at all.
struct Change<'a> {
    namings: &'a [Naming],
    /// What keeps it in order with other changes: who shares one is durable in the order of the changes.
    orders: BTreeSet<NodeId>,
    is_forced: bool,
}

impl Change<'_> {
    fn is_in(&self, directory: NodeId) -> bool {
        self.namings
            .iter()
            .any(|naming| naming.directory == directory)
    }
}

struct Cutting<'a> {
    /// What is certain: the names at the start, and bytes that were synced.
    durable: Vec<Node>,
    changes: Vec<Change<'a>>,
    /// The files whose bytes may be lost.
    contents: Vec<Unsynced>,
}

struct Unsynced {
    file: NodeId,
    /// Each thing that may be left of its bytes.
    choices: Vec<Vec<u8>>,
}

type Each<'e> = &'e mut dyn FnMut(Tree) -> Result<(), String>;

impl<'a> Cutting<'a> {
    fn new(history: &'a History, cut: Cut) -> Cutting<'a> {
        let mut changes: Vec<Change<'a>> = Vec::new();
        for event in &history.events[..cut.point] {
            match event {
                Event::Names(namings) if cut.family == Family::Halves => {
                    changes.extend(namings.chunks(1).map(|half| change(half, cut.family)));
                }
                Event::Names(namings) => changes.push(change(namings, cut.family)),
                Event::SyncDirectory(directory) => {
                    force(&mut changes, |change| change.is_in(*directory));
                }
                Event::SyncAll => force(&mut changes, |_| true),
                Event::Write { .. } | Event::SyncFile(_) | Event::Acknowledged => {}
            }
        }
        let (durable, contents) = contents(history, cut.point);
        Cutting {
            durable,
            changes,
            contents,
        }
    }

    /// Leaves out the states without the last change.
    fn keep_newest(&mut self) {
        if let Some(newest) = self.changes.last() {
            let orders = newest.orders.clone();
            force(&mut self.changes, |change| {
                !change.orders.is_disjoint(&orders)
            });
        }
    }

    fn each(&self, each: Each<'_>) -> Result<(), String> {
        self.choose(0, &mut BTreeSet::new(), &mut Vec::new(), each)
    }

    /// Goes through all ways to lose changes from `index` on. Once one is lost, so are all later ones that keep
    /// an order with it.
    fn choose(
        &self,
        index: usize,
        broken: &mut BTreeSet<NodeId>,
        kept: &mut Vec<usize>,
        each: Each<'_>,
    ) -> Result<(), String> {
        let Some(change) = self.changes.get(index) else {
            return self.each_contents(kept, each);
        };
        if broken.is_disjoint(&change.orders) {
            kept.push(index);
            self.choose(index + 1, broken, kept, each)?;
            kept.pop();
        }
        if !change.is_forced {
            let added: Vec<NodeId> = change.orders.difference(broken).copied().collect();
            broken.extend(&added);
            self.choose(index + 1, broken, kept, each)?;
            added.iter().for_each(|order| {
                broken.remove(order);
            });
        }
        Ok(())
    }

    fn each_contents(&self, kept: &[usize], each: Each<'_>) -> Result<(), String> {
        let mut nodes = self.durable.clone();
        for index in kept {
            for naming in self.changes[*index].namings {
                name(&mut nodes, naming);
            }
        }
        self.fill(0, &mut nodes, &mut BTreeSet::new(), each)
    }

    /// Goes through all that may be in the files from `index` on.
    fn fill(
        &self,
        index: usize,
        nodes: &mut Vec<Node>,
        told: &mut BTreeSet<Tree>,
        each: Each<'_>,
    ) -> Result<(), String> {
        let Some(Unsynced { file, choices }) = self.contents.get(index) else {
            let tree = Tree::of(nodes);
            // Files that no name leads to make no difference.
            return match told.insert(tree.clone()) {
                true => each(tree),
                false => Ok(()),
            };
        };
        for choice in choices {
            nodes[*file] = Node::File(choice.clone());
            self.fill(index + 1, nodes, told, each)?;
        }
        Ok(())
    }
}

fn change(namings: &[Naming], family: Family) -> Change<'_> {
    Change {
        namings,
        orders: match family {
            Family::Journal => BTreeSet::from([0]),
            Family::Directories | Family::Halves => {
                namings.iter().map(|naming| naming.directory).collect()
            }
        },
        is_forced: false,
    }
}

/// Makes some changes durable, and what must be durable before them.
fn force(changes: &mut [Change<'_>], is_synced: impl Fn(&Change<'_>) -> bool) {
    let mut orders = BTreeSet::new();
    for change in changes.iter_mut().rev() {
        if is_synced(change) || !orders.is_disjoint(&change.orders) {
            change.is_forced = true;
            orders.extend(&change.orders);
        }
    }
}

/// The nodes with the bytes that were synced; and the files with others, with what may be left of each: what was
/// synced, half of all, as many zeros, or all.
fn contents(history: &History, point: usize) -> (Vec<Node>, Vec<Unsynced>) {
    let mut live = history.start.clone();
    let mut durable = history.start.clone();
    for event in &history.events[..point] {
        match event {
            Event::Write { .. } => apply(&mut live, event),
            Event::SyncFile(file) => durable[*file] = live[*file].clone(),
            Event::SyncAll => durable.clone_from(&live),
            Event::Names(_) | Event::SyncDirectory(_) | Event::Acknowledged => {}
        }
    }
    let mut contents = Vec::new();
    for (file, pair) in durable.iter().zip(live).enumerate() {
        if let (Node::File(durable), Node::File(live)) = pair
            && *durable != live
        {
            let half = live[..live.len() / 2].to_vec();
            let zeros = vec![0; live.len()];
            let mut choices = vec![durable.clone(), half, zeros, live];
            choices.sort();
            choices.dedup();
            contents.push(Unsynced { file, choices });
        }
    }
    (durable, contents)
}
