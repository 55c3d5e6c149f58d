//! How readers of one queue keep out of each other's way.
//!
//! Each begins with the smallest names. One that finds a name gone or busy has met another reader, who goes on from
//! there: it leaps to another place of its listing, by chance, and so each soon has a stretch of its own. It comes back
//! to what it left out, so that no name waits long because of a leap; and when most of what its listing has is gone, it
//! lists anew instead of trying all of that. A reader that is alone meets nobody, and keeps the order of names.
//!
//! What arrives all readers hear of, and one can have it. One that came too late looks, for a while, whether what it hears
//! of is still there before it tries to own it.

use crate::listing::Listing;

/// So many entries are taken after a leap before it is looked whether the first names are still there.
const RUN: u32 = 256;
/// So many names are found gone in a row before the queue is listed anew: more, where that costs more.
const GONE: usize = 4;
const NAMES_FOR_ONE_MORE: usize = 16_384;

/// So many entries that it heard of a reader takes with a look, after another was quicker with one.
const WARY: u32 = 16;

#[derive(Debug)]
pub(crate) struct Spread {
    is_strict: bool,
    wary: u32,
    gone: usize,
    /// Entries taken since the last leap; none where there was no leap.
    run: Option<u32>,
}

impl Spread {
    pub(crate) fn new(is_strict: bool) -> Spread {
        Spread {
            is_strict,
            wary: 0,
            gone: 0,
            run: None,
        }
    }

    /// Whether to look first if an entry that it heard of is still there.
    pub(crate) fn is_wary(&self) -> bool {
        self.wary > 0
    }

    /// An entry that it heard of was taken.
    pub(crate) fn had_heard(&mut self) {
        self.wary = self.wary.saturating_sub(1);
    }

    /// Another reader was quicker with an entry that all heard of.
    pub(crate) fn missed_heard(&mut self) {
        self.wary = WARY;
    }

    /// A name of the listing was taken.
    pub(crate) fn had(&mut self, listing: &mut Listing) {
        self.gone = 0;
        self.run = match self.run {
            Some(run) if run >= RUN => {
                listing.return_to_first();
                None
            }
            run => run.map(|run| run + 1),
        };
    }

    /// Another reader was quicker with a name of the listing: it is gone, or else busy.
    pub(crate) fn missed(&mut self, listing: &mut Listing, is_gone: bool) {
        if self.is_strict {
            return;
        }
        // A busy name would be in a new listing too: only what is gone is a reason for one.
        self.gone += usize::from(is_gone);
        if self.gone >= GONE + listing.read() / NAMES_FOR_ONE_MORE {
            self.gone = 0;
            self.run = None;
            listing.begin_again();
        } else {
            self.run = Some(0);
            listing.leap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;
    use crate::name::EntryName;
    use std::fs;
    use std::path::Path;

    struct Reader {
        listing: Listing,
        spread: Spread,
        taken: Vec<EntryName>,
    }

    fn readers(count: usize, is_strict: bool) -> Vec<Reader> {
        let reader = || Reader {
            listing: Listing::new("list"),
            spread: Spread::new(is_strict),
            taken: Vec::new(),
        };
        std::iter::repeat_with(reader).take(count).collect()
    }

    fn files(dir: &Path, count: usize) {
        for at in 0..count {
            fs::write(dir.join(format!("n{at:05}")), "").expect("a file");
        }
    }

    /// Each takes one in turn, until none is left; how often a name was gone.
    fn take_in_turn(dir: &Path, readers: &mut [Reader]) -> usize {
        let layout = Layout::new(dir.to_owned(), []);
        let mut failed = 0;
        let mut ended = 0;
        while ended < readers.len() {
            ended = 0;
            for reader in &mut *readers {
                loop {
                    let next = reader.listing.next(&layout.root, |step| step());
                    let Some(name) = next.expect("readable") else {
                        ended += 1;
                        break;
                    };
                    if fs::remove_file(dir.join(name.as_os_str())).is_ok() {
                        reader.taken.push(name);
                        reader.spread.had(&mut reader.listing);
                        break;
                    }
                    failed += 1;
                    reader.spread.missed(&mut reader.listing, true);
                }
            }
        }
        failed
    }

    #[test]
    fn eight_readers_take_each_name_once_and_fail_in_less_than_one_claim_of_ten() {
        const NAMES: usize = 4000;
        for is_strict in [false, true] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            files(dir.path(), NAMES);
            let mut eight = readers(8, is_strict);
            let failed = take_in_turn(dir.path(), &mut eight);
            let mut taken: Vec<_> = eight.iter().flat_map(|reader| &reader.taken).collect();
            taken.sort();
            taken.dedup();
            assert_eq!(taken.len(), NAMES);
            let few = failed * 10 < NAMES + failed;
            assert_eq!(few, !is_strict, "{failed} failed, strict: {is_strict}");
            let in_order = eight.iter().filter(|reader| reader.taken.is_sorted());
            assert_eq!(in_order.count() == 8, is_strict);
        }
    }

    #[test]
    fn a_reader_that_is_alone_keeps_the_order_of_names() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        files(dir.path(), 1000);
        let mut one = readers(1, false);
        assert_eq!(take_in_turn(dir.path(), &mut one), 0);
        assert!(one[0].taken.is_sorted());
    }

    #[test]
    fn a_reader_that_came_too_late_looks_first_until_it_was_in_time_for_a_while() {
        let mut spread = Spread::new(false);
        assert!(!spread.is_wary());
        spread.missed_heard();
        for _ in 0..WARY {
            assert!(spread.is_wary());
            spread.had_heard();
        }
        assert!(!spread.is_wary());
    }

    #[test]
    fn what_a_leap_left_out_waits_for_so_many_entries_and_no_longer() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        files(dir.path(), 5000);
        let layout = Layout::new(dir.path().to_owned(), []);
        let mut reader = readers(1, false).pop().expect("a reader");
        let next = |reader: &mut Reader| {
            let next = reader.listing.next(&layout.root, |step| step());
            next.expect("readable").expect("a name").to_string()
        };
        assert_eq!(next(&mut reader), "n00000");
        // The rare leap to where it is anyway, or to within a run of the end, shows nothing.
        while reader.listing.spans() < 2 || reader.listing.left_here() < RUN as usize + 2 {
            reader.spread.missed(&mut reader.listing, false);
        }
        for _ in 0..=RUN {
            assert_ne!(next(&mut reader), "n00001");
            reader.spread.had(&mut reader.listing);
        }
        assert_eq!(next(&mut reader), "n00001");
    }
}
