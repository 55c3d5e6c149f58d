//! `registry::own`: open the registry file, lock it, and see that it is still the one that has the name.
//! `registry::own_reserved`: the same with a registry file that was created just now, and is open.

use super::{Departure, Process, Steps};
use crate::reached::Reached;

/// Where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Own {
    Open,
    Lock,
    Compare,
    LockCreated,
    CompareCreated,
}

/// What it found: `registry::Claim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    Owned,
    Busy,
    Unreserved,
}

impl Own {
    /// The step that is next; `going` and `then` say what the process is after it.
    pub fn steps(
        self,
        s: &mut Steps,
        going: impl Fn(Own) -> Process,
        then: impl Fn(Claim) -> Process,
    ) {
        let me = s.me;
        let named = s.disk().registry.map(|registry| registry.inode);
        let open = s.disk().open[me];
        match self {
            Own::Open => match named {
                None => s.look("open .registry/NAME: ENOENT", then(Claim::Unreserved)),
                Some(inode) => s.step("open .registry/NAME", going(Own::Lock), |state| {
                    state.disk.open[me] = Some(inode);
                }),
            },
            Own::Lock | Own::LockCreated => {
                let compare = match self {
                    Own::Lock => Own::Compare,
                    _ => Own::CompareCreated,
                };
                if open.is_some_and(|inode| s.disk().is_locked(inode)) {
                    Reached::Busy.mark();
                    s.step("lock it: EAGAIN", then(Claim::Busy), |state| {
                        state.disk.close(me);
                    });
                } else {
                    s.step("lock it", going(compare), |state| {
                        state.disk.locked[me] = true;
                    });
                }
            }
            Own::Compare | Own::CompareCreated => {
                if s.departs(Departure::NoCompare) || named == open {
                    s.look("stat .registry/NAME: the same file", then(Claim::Owned));
                    return;
                }
                Reached::Ghost.mark();
                if named.is_some() && self == Own::Compare {
                    s.step(
                        "stat .registry/NAME: another file",
                        going(Own::Open),
                        |state| state.disk.close(me),
                    );
                } else {
                    s.step(
                        "stat .registry/NAME: not this file",
                        then(Claim::Unreserved),
                        |state| state.disk.close(me),
                    );
                }
            }
        }
    }
}
