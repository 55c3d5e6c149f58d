//! The ownership of a name among several hosts: a claim, `.multispool/claims/NAME`, that lasts for the spool's lease and
//! is renewed.
//!
//! A claim is a second name of its holder's token. Nobody but its holder takes it away while the lease lasts; and since
//! a request may reach the file system long after it was made, when the claim is another's, a claim is only ever taken
//! away by giving it a name of one's own, looking at what was got, and giving back what is another's.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::token::{self, Token};
use super::{Claim, keeper};
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::{self, Dir, Queue};
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::spool::Spool;
use crate::sys::clock::since_1970;
use crate::sys::sync::lock;
use crate::sys::{file, fork, rename, sync};

/// How much older than its lease a claim must look before it is taken for dead: file systems tell whole seconds, and
/// clients remember what they saw for a second.
const GRACE: Duration = Duration::from_secs(2);

/// How long it takes until another's claim is believed while one's own should be there: twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_millis(320);

const RELEASE: &str = "release a lease";

/// A lease that this process holds; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease(Arc<Held>);

/// What its holder, the handles of its data and the thread that renews it share.
#[derive(Debug)]
pub(crate) struct Held {
    spool: Spool,
    name: EntryName,
    length: Duration,
    generation: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` once it has ended.
    token: Option<Token>,
    /// When the last renewal was begun.
    renewed: Instant,
    /// Where the entry is checked out.
    checked_out_of: Option<Arc<Queue>>,
    lost: bool,
}

/// Reserves a name; false if it is in use.
pub(crate) fn reserve(spool: &Spool, name: &EntryName, operation: &'static str) -> Result<bool> {
    let registry = &spool.layout().registry;
    if look(registry, name, operation)?.is_some() {
        return Ok(false);
    }
    // Its own name goes when it is dropped: then the reservation is a file of one name like any other.
    Token::make(spool, name, operation)?.link(registry, name, operation)
}

/// Takes the lease of a reserved name if nobody has it.
pub(super) fn claim(
    spool: &Spool,
    name: &EntryName,
    operation: &'static str,
) -> Result<Claim<Lease>> {
    let Some(length) = spool.lease(operation)? else {
        unreachable!("asked of a spool in network mode")
    };
    let layout = spool.layout();
    if look(&layout.claims, name, operation)?.is_some() && !omit::is_out(Step::ClaimByLink) {
        return Ok(Claim::Busy);
    }
    let begun = Instant::now();
    let token = Token::make(spool, name, operation)?;
    if !omit::is_out(Step::ClaimByLink) && !token.link(&layout.claims, name, operation)? {
        return Ok(Claim::Busy);
    }
    let lease = Lease(Arc::new(Held {
        spool: spool.clone(),
        name: name.clone(),
        length,
        generation: fork::generation(),
        state: Mutex::new(State {
            token: Some(token),
            renewed: begun,
            checked_out_of: None,
            lost: false,
        }),
    }));
    match look(&layout.registry, name, operation)? {
        None => Ok(Claim::Unreserved),
        // A reservation that was cut short has two names; whose it is it says all the same.
        Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            Ok(Claim::Owned(lease))
        }
        Some(stat) => Err(Error::new(
            ErrorKind::Corrupt,
            operation,
            layout.registry.join(name.as_os_str()),
            file::oddity(&stat).unwrap_or("it is not a regular file"),
        )),
    }
}

/// Whether somebody holds the name's lease, and its time is not up.
pub(super) fn is_owned(spool: &Spool, name: &EntryName, operation: &'static str) -> Result<bool> {
    match look(&spool.layout().claims, name, operation)? {
        None => Ok(false),
        Some(claim) => Ok(!is_over(spool, name, &claim, operation)?),
    }
}

/// Whether a file that its owner's renewals touch has not been touched for longer than a lease lasts.
pub(crate) fn expired(
    spool: &Spool,
    name: &EntryName,
    stat: &Stat,
    operation: &'static str,
) -> Result<bool> {
    let modified = since_1970(stat.st_mtime, stat.st_mtime_nsec);
    let accessed = since_1970(stat.st_atime, stat.st_atime_nsec);
    has_ended(spool, name, modified.max(accessed), operation)
}

/// Whether a claim's time is up.
fn is_over(spool: &Spool, name: &EntryName, claim: &Stat, operation: &'static str) -> Result<bool> {
    let renewed = since_1970(claim.st_mtime, claim.st_mtime_nsec);
    has_ended(spool, name, renewed, operation)
}

fn has_ended(
    spool: &Spool,
    name: &EntryName,
    renewed: Duration,
    operation: &'static str,
) -> Result<bool> {
    let Some(length) = spool.lease(operation)? else {
        return Ok(true);
    };
    let age = spool.clock().age(spool, name, renewed, operation)?;
    Ok(age > length + GRACE)
}

/// Takes away a claim whose time is up; false if there is none, or it was renewed meanwhile.
pub(crate) fn end_if_over(
    spool: &Spool,
    name: &EntryName,
    operation: &'static str,
) -> Result<bool> {
    let Some(judged) = look(&spool.layout().claims, name, operation)? else {
        return Ok(false);
    };
    if !is_over(spool, name, &judged, operation)? {
        return Ok(false);
    }
    let Some(away) = Away::take(spool, name, operation)? else {
        return Ok(false);
    };
    // Under its new name it is looked at anew, whatever this host remembers of the old one.
    if !file::same(&away.stat, &judged) || !is_over(spool, name, &away.stat, operation)? {
        away.give_back(operation);
        return Ok(false);
    }
    let tmp = &spool.layout().tmp;
    if let Some(own) = token::own_name(tmp, &away.own, operation) {
        let own = OsStr::from_bytes(&own);
        let is_its =
            file::stat_at(tmp.fd(operation)?, own).is_ok_and(|stat| file::same(&stat, &away.stat));
        if is_its {
            // What cannot be removed is a temporary file without an owner, which the monitor names.
            let _ = file::unlink(tmp.fd(operation)?, own);
        }
    }
    away.remove(operation);
    Ok(true)
}

fn look(dir: &Dir, name: &EntryName, operation: &'static str) -> Result<Option<Stat>> {
    match file::stat_at(dir.fd(operation)?, name.as_os_str()) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(Error::system(operation, dir.join(name.as_os_str()), errno)),
    }
}

/// A claim that was given a name of one's own.
struct Away<'a> {
    spool: &'a Spool,
    name: &'a EntryName,
    own: OsString,
    stat: Stat,
}

impl<'a> Away<'a> {
    /// `None` if there was no claim.
    fn take(
        spool: &'a Spool,
        name: &'a EntryName,
        operation: &'static str,
    ) -> Result<Option<Away<'a>>> {
        let (claims, tmp) = (&spool.layout().claims, &spool.layout().tmp);
        let own = layout::temporary(name);
        let from = claims.place(operation, name.as_os_str())?;
        let to = tmp.place(operation, &own)?;
        match rename::plain(from, to) {
            // Gone before, or by this very request, whose reply was lost.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(Error::system(operation, claims.join(from.1), errno)),
        }
        match file::stat_at(to.0, to.1) {
            Ok(stat) => Ok(Some(Away {
                spool,
                name,
                own,
                stat,
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::system(operation, tmp.join(&own), errno)),
        }
    }

    /// Puts it back where it was, if there is no other by now. If this fails its holder does it when it renews.
    fn give_back(self, operation: &'static str) {
        let layout = self.spool.layout();
        if let (Ok(from), Ok(to)) = (
            layout.tmp.place(operation, &self.own),
            layout.claims.place(operation, self.name.as_os_str()),
        ) {
            let _ = file::link_to(from, to);
        }
        self.remove(operation);
    }

    /// What cannot be removed is a temporary file without an owner, which the monitor names.
    fn remove(self, operation: &'static str) {
        if let Ok((dir, own)) = self.spool.layout().tmp.place(operation, &self.own) {
            let _ = file::unlink(dir, own);
        }
    }
}

impl Lease {
    /// Whether the claim is ours still. Once it is not it never is again.
    pub(super) fn holds(&self, operation: &'static str) -> Result<bool> {
        self.0.holds(operation)
    }

    pub(super) fn renew(&self, operation: &'static str) -> Result<bool> {
        self.0.renew(operation)
    }

    pub(super) fn is_due(&self) -> bool {
        self.0.due() <= Instant::now()
    }

    pub(super) fn keep(&self, operation: &'static str) -> Result<()> {
        let started = keeper::keep(&self.0);
        started.map_err(|error| Error::io(operation, self.0.path(), &error))
    }

    pub(super) fn set_checked_out(&self, queue: &Arc<Queue>) {
        lock(&self.0.state).checked_out_of = Some(Arc::clone(queue));
    }

    /// For those who must see that the lease is held, and do not hold it themselves.
    pub(crate) fn shared(&self) -> Arc<Held> {
        Arc::clone(&self.0)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.generation == fork::generation() {
            self.0.end();
        }
    }
}

impl Held {
    pub(crate) fn holds(&self, operation: &'static str) -> Result<bool> {
        self.still_has(&mut lock(&self.state), operation)
    }

    /// Makes the lease last from now on; false if it is lost.
    pub(super) fn renew(&self, operation: &'static str) -> Result<bool> {
        let mut state = lock(&self.state);
        let begun = Instant::now();
        let Some(token) = state.token.as_ref().filter(|_| !state.lost) else {
            return Ok(false);
        };
        token.touch(operation)?;
        if let Some(queue) = &state.checked_out_of {
            let (dir, name) = queue.checkout.place(operation, self.name.as_os_str())?;
            // What lies there without a claim, as it may for a moment, is known by this to have an owner.
            match file::touch_accessed(dir, name) {
                Err(Errno::NOENT) => {
                    state.lost = true;
                    return Ok(false);
                }
                touched => touched.at(operation, || queue.checkout.join(name))?,
            }
        }
        let holds = self.still_has(&mut state, operation)?;
        if holds {
            state.renewed = begun;
        }
        Ok(holds)
    }

    /// When the next renewal is due: a quarter of the lease after the last.
    pub(super) fn due(&self) -> Instant {
        lock(&self.state).renewed + self.length / 4
    }

    pub(super) fn length(&self) -> Duration {
        self.length
    }

    pub(super) fn is_over(&self) -> bool {
        let state = lock(&self.state);
        state.token.is_none() || state.lost
    }

    fn still_has(&self, state: &mut State, operation: &'static str) -> Result<bool> {
        let Some(token) = state.token.as_ref().filter(|_| !state.lost) else {
            return Ok(false);
        };
        if omit::is_out(Step::ClaimByLink) {
            return Ok(true);
        }
        let claims = &self.spool.layout().claims;
        let mut pause = FIRST_PAUSE;
        loop {
            let lasts = state.renewed.elapsed() < self.length;
            let holds = match look(claims, &self.name, operation)? {
                Some(claim) => token.is(&claim),
                // For a moment it may have another's name, who then finds out that it is ours.
                None if lasts => token.link(claims, &self.name, operation)?,
                // Whoever took it away had the right to, and others may rely on that.
                None => false,
            };
            // In such a moment somebody may claim the name, and find nothing to take.
            if holds || !lasts || pause >= LAST_PAUSE {
                state.lost = !holds;
                return Ok(holds);
            }
            sync::pause(pause);
            pause *= 2;
        }
    }

    fn end(&self) {
        let mut state = lock(&self.state);
        let Some(token) = state.token.take() else {
            return;
        };
        if !state.lost
            && !omit::is_out(Step::ClaimByLink)
            // What cannot be taken away ends when its time is up.
            && let Ok(Some(away)) = Away::take(&self.spool, &self.name, RELEASE)
        {
            match token.is(&away.stat) {
                true => away.remove(RELEASE),
                false => away.give_back(RELEASE),
            }
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.spool.layout().claims.join(self.name.as_os_str())
    }
}
