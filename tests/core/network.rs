//! A spool that several hosts share, tried on one: who owns an entry is whoever has its claim, for as long as its lease.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use multispool::{
    Checkout, Durability, EnqueueOptions, Entry, ErrorKind, Limits, Mode, Owners, RecoverOptions,
    RepairOptions, Spool,
};
use tempfile::TempDir;

use super::named;

const LEASE: Duration = Duration::from_secs(120);

fn new_network_spool(queues: &[&str]) -> (TempDir, Spool) {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::options()
        .durability(Durability::None)
        .mode(Mode::Network)
        .create(dir.path().join("spool"), queues)
        .unwrap();
    (dir, spool)
}

fn kind_of<T>(result: multispool::Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("it went well"),
        Err(error) => error.kind(),
    }
}

/// As another host sees the same spool.
fn other_host(spool: &Spool) -> Spool {
    Spool::options()
        .durability(Durability::None)
        .load(spool.dir(), spool.queues())
        .unwrap()
}

fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".checkout")
        .collect();
    names.sort();
    names
}

fn claims(spool: &Spool) -> Vec<String> {
    names_in(&spool.dir().join(".multispool/claims"))
}

fn temporaries(spool: &Spool) -> Vec<String> {
    names_in(&spool.dir().join(".tmp"))
}

/// Has a file look as if it was touched last so long ago.
fn age(path: &Path, age: Duration) {
    let then = SystemTime::now() - age;
    let times = FileTimes::new().set_accessed(then).set_modified(then);
    File::open(path).unwrap().set_times(times).unwrap();
}

/// Has the lease of a checkout run out, as if its holder had been cut off.
fn run_out(checkout: &Checkout) {
    let dir = checkout.spool().dir();
    let name = checkout.name().as_os_str();
    let late = LEASE + Duration::from_secs(5);
    age(&dir.join(".multispool/claims").join(name), late);
    let queue = dir.join(checkout.queue().as_os_str());
    age(&queue.join(".checkout").join(name), late);
}

fn recovered(spool: &Spool) -> Vec<String> {
    let recovered = spool.recover(&RecoverOptions::new()).unwrap();
    assert!(recovered.failures.is_empty(), "{:?}", recovered.failures);
    let name = |entry: &Entry| entry.name().to_string();
    recovered.entries.iter().map(name).collect()
}

fn taken(spool: &Spool) -> Checkout {
    let checkout = spool.entry("in", "a").unwrap().try_checkout().unwrap();
    checkout.expect("nobody else has it")
}

#[test]
fn a_new_spool_says_that_hosts_share_it_and_how_long_a_lease_is() {
    let (dir, spool) = new_network_spool(&["in"]);
    let text = fs::read_to_string(spool.dir().join(".multispool/format")).unwrap();
    assert_eq!(
        text,
        "multispool 1\nmode network\nowners locking\nlease 120\n"
    );
    let format = other_host(&spool).format().unwrap();
    assert_eq!(format.mode(), Mode::Network);
    assert_eq!(format.lease(), Some(LEASE));

    let short = Duration::from_secs(8);
    let options = Spool::options().mode(Mode::Network).lease(short);
    let other = options.create(dir.path().join("other"), ["in"]).unwrap();
    assert_eq!(other.format().unwrap().lease(), Some(short));
    // Created again, it keeps what it has.
    let again = Spool::options().create(other.dir(), ["in"]).unwrap();
    assert_eq!(again.format().unwrap().lease(), Some(short));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let network = || Spool::options().mode(Mode::Network);
    for options in [
        network().lease(Duration::from_secs(3)),
        network().lease(Duration::from_millis(8500)),
        network().lease(Duration::from_secs(100_000)),
        network().owners(Owners::Mixed),
        Spool::options().mode(Mode::Local).lease(LEASE),
    ] {
        let refused = options.create(&path, ["in"]);
        assert_eq!(kind_of(refused), ErrorKind::InvalidArgument);
        assert!(!path.exists());
    }
}

#[test]
fn an_entry_goes_its_way_and_leaves_no_claim_and_no_token() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    let entry = spool.enqueue("in", "metadata", "data").unwrap();
    assert_eq!(claims(&spool), [""; 0]);
    let registered = spool.dir().join(".registry").join(entry.name().as_os_str());
    assert_eq!(fs::metadata(registered).unwrap().nlink(), 1);
    {
        let mut checkout = entry.checkout().unwrap();
        assert_eq!(claims(&spool), [entry.name().to_string()]);
        assert_eq!(checkout.metadata(), b"metadata");
        checkout.data_file().save("other data").unwrap();
        checkout.set_metadata("changed").unwrap();
        checkout.save("done").unwrap();
    }
    assert_eq!(claims(&spool), [""; 0]);
    assert_eq!(temporaries(&spool), [""; 0]);
    let mut checkout = spool
        .entry("done", entry.name())
        .unwrap()
        .checkout()
        .unwrap();
    assert_eq!(checkout.metadata(), b"changed");
    assert_eq!(checkout.data_file().load().unwrap(), b"other data");
    checkout.remove().unwrap();
    assert_eq!(claims(&spool), [""; 0]);
    assert_eq!(temporaries(&spool), [""; 0]);
    assert_eq!(names_in(&spool.dir().join(".registry")), [""; 0]);
    assert_eq!(names_in(&spool.dir().join(".data")), [""; 0]);
}

#[test]
fn who_has_the_claim_has_the_entry() {
    let (_dir, spool) = new_network_spool(&["in"]);
    named(&spool, "in", &["a"]);
    let other = other_host(&spool);
    let claim = spool.dir().join(".multispool/claims/a");
    // Another host has it, and has not moved the entry yet.
    fs::write(&claim, "").unwrap();
    assert!(
        other
            .entry("in", "a")
            .unwrap()
            .try_checkout()
            .unwrap()
            .is_none()
    );
    fs::remove_file(&claim).unwrap();
    let mut mine = taken(&spool);
    assert!(
        other
            .entry("in", "a")
            .unwrap()
            .try_checkout()
            .unwrap()
            .is_none()
    );
    assert_eq!(recovered(&other), [""; 0]);
    mine.release().unwrap();
    drop(taken(&other));
}

#[test]
fn what_is_dropped_unfinished_has_no_claim_and_is_returned_when_its_time_is_up() {
    let (_dir, spool) = new_network_spool(&["in"]);
    named(&spool, "in", &["a"]);
    drop(taken(&spool));
    assert_eq!(claims(&spool), [""; 0]);
    assert_eq!(
        recovered(&spool),
        [""; 0],
        "it may be a holder that is about to claim it again"
    );
    age(
        &spool.dir().join("in/.checkout/a"),
        LEASE + Duration::from_secs(5),
    );
    assert_eq!(recovered(&spool), ["a"]);
    drop(taken(&spool));
}

#[test]
fn a_lease_that_ran_out_is_taken_over_and_its_holder_told() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    named(&spool, "in", &["a"]);
    let other = other_host(&spool);
    let mut late = taken(&spool);
    let data = late.data_file();
    run_out(&late);
    assert_eq!(recovered(&other), ["a"]);
    assert_eq!(claims(&spool), [""; 0]);
    assert_eq!(temporaries(&spool), [""; 0], "the dead holder's token");
    let mut theirs = taken(&other);
    assert_eq!(kind_of(late.renew()), ErrorKind::LostOwnership);
    assert_eq!(kind_of(data.save("late")), ErrorKind::LostOwnership);
    assert_eq!(kind_of(late.save("done")), ErrorKind::LostOwnership);
    assert_eq!(kind_of(late.remove()), ErrorKind::LostOwnership);
    assert_eq!(kind_of(late.release()), ErrorKind::LostOwnership);
    drop(late);
    assert_eq!(
        claims(&spool),
        ["a"],
        "the other's claim is the other's to end"
    );
    theirs.renew().unwrap();
    assert_eq!(theirs.data_file().load().unwrap(), b"data");
    theirs.save("done").unwrap();
    assert_eq!(claims(&spool), [""; 0]);
    assert_eq!(temporaries(&spool), [""; 0]);
}

#[test]
fn a_holder_that_never_knew_gives_back_the_claim_that_it_takes_away() {
    let (_dir, spool) = new_network_spool(&["in"]);
    named(&spool, "in", &["a"]);
    let other = other_host(&spool);
    let late = taken(&spool);
    run_out(&late);
    assert_eq!(recovered(&other), ["a"]);
    let mut theirs = taken(&other);
    // Its first call after the lease is the end of the claim itself.
    drop(late);
    assert_eq!(claims(&spool), ["a"]);
    theirs.remove().unwrap();
    assert_eq!(temporaries(&spool), [""; 0]);
}

#[test]
fn a_renewed_lease_is_left_alone() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    named(&spool, "in", &["a"]);
    let other = other_host(&spool);
    let mut mine = taken(&spool);
    run_out(&mine);
    mine.renew().unwrap();
    assert_eq!(recovered(&other), [""; 0]);
    mine.save("done").unwrap();
}

#[test]
fn a_claim_that_is_away_for_a_moment_is_claimed_again() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    named(&spool, "in", &["a"]);
    let other = other_host(&spool);
    let mut mine = taken(&spool);
    fs::remove_file(spool.dir().join(".multispool/claims/a")).unwrap();
    assert_eq!(recovered(&other), [""; 0], "its entry is not old");
    mine.renew().unwrap();
    assert_eq!(claims(&spool), ["a"]);
    fs::remove_file(spool.dir().join(".multispool/claims/a")).unwrap();
    mine.save("done").unwrap();
    assert_eq!(claims(&spool), [""; 0]);
}

#[test]
fn a_claim_of_an_entry_that_waits_ends_when_its_time_is_up() {
    let (_dir, spool) = new_network_spool(&["in"]);
    named(&spool, "in", &["a"]);
    let claim = spool.dir().join(".multispool/claims/a");
    fs::write(&claim, "whoever died here").unwrap();
    assert_eq!(recovered(&spool), [""; 0]);
    assert_eq!(claims(&spool), ["a"]);
    age(&claim, LEASE + Duration::from_secs(5));
    assert_eq!(recovered(&spool), [""; 0]);
    assert_eq!(claims(&spool), [""; 0]);
    drop(taken(&spool));
}

#[test]
fn a_kept_lease_is_renewed_until_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let lease = Duration::from_secs(4);
    let spool = Spool::options()
        .durability(Durability::None)
        .mode(Mode::Network)
        .lease(lease)
        .create(dir.path().join("spool"), ["in", "done"])
        .unwrap();
    named(&spool, "in", &["a"]);
    let mut mine = taken(&spool);
    mine.keep().unwrap();
    let claim = spool.dir().join(".multispool/claims/a");
    let age_of = || fs::metadata(&claim).unwrap().modified().unwrap().elapsed();
    for _ in 0..2 {
        let old = Duration::from_secs(1000);
        age(&claim, old);
        let begun = Instant::now();
        while age_of().unwrap_or_default() >= old {
            assert!(begun.elapsed() < Duration::from_secs(60), "never renewed");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    mine.save("done").unwrap();
    assert_eq!(claims(&spool), [""; 0]);
}

#[test]
fn a_save_that_fails_leaves_the_metadata_as_it_was() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    named(&spool, "in", &["a"]);
    let mut mine = taken(&spool);
    fs::write(spool.dir().join("done/a"), "in the way").unwrap();
    mine.set_metadata("changed").unwrap();
    assert_eq!(kind_of(mine.save("done")), ErrorKind::NameTaken);
    mine.release().unwrap();
    assert_eq!(taken(&spool).metadata(), b"metadata");
    // The token and the claim of what was dropped are gone, and nothing else is left.
    assert_eq!(temporaries(&spool), [""; 0]);
}

#[test]
fn a_repair_leaves_what_is_claimed() {
    let (_dir, spool) = new_network_spool(&["in"]);
    named(&spool, "in", &["a"]);
    let mut mine = taken(&spool);
    for name in temporaries(&spool) {
        age(
            &spool.dir().join(".tmp").join(name),
            Duration::from_secs(1000),
        );
    }
    let options = RepairOptions::new();
    let repaired = spool.repair(&options).unwrap().apply().unwrap();
    assert!(repaired.steps.is_empty(), "{:?}", repaired.steps);
    mine.renew().unwrap();
    mine.remove().unwrap();
}

#[test]
fn a_spool_that_does_not_say_so_is_not_shared_because_one_host_says_so() {
    let (_dir, spool) = new_network_spool(&["in"]);
    fs::remove_file(spool.dir().join(".multispool/format")).unwrap();
    let loaded = Spool::options()
        .mode(Mode::Network)
        .load(spool.dir(), ["in"]);
    assert_eq!(kind_of(loaded), ErrorKind::Unsupported);
}

#[test]
fn a_doctor_tells_the_mode_and_what_the_file_system_does() {
    let (_dir, spool) = new_network_spool(&["in"]);
    let checkup = Spool::doctor(spool.dir()).unwrap();
    assert!(checkup.is_well(), "{checkup:?}");
    assert_eq!(checkup.mode, Mode::Network);
    assert_eq!(checkup.lease, Some(LEASE));
    assert!(!checkup.file_system.is_empty());
    // In memory nothing survives the loss of power.
    assert!(!(checkup.is_durable && checkup.file_system == "tmpfs"));
    assert!(
        checkup
            .findings
            .iter()
            .any(|finding| finding.is_needed && finding.works)
    );
    assert_eq!(temporaries(&spool), [""; 0]);
    assert_eq!(
        names_in(&spool.dir().join(".multispool")),
        ["claims", "format"]
    );
}

#[test]
fn an_entry_whose_enqueue_died_between_its_last_steps_is_whole() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    named(&spool, "in", &["a"]);
    let waiting = spool.dir().join("in/a");
    fs::hard_link(&waiting, spool.dir().join(".tmp/a.tmp.abcdef")).unwrap();
    let mut mine = taken(&spool);
    mine.save("done").unwrap();
    assert_eq!(temporaries(&spool), [""; 0]);
    // A second name elsewhere is somebody's doing.
    let saved = spool.dir().join("done/a");
    fs::hard_link(&saved, spool.dir().join("elsewhere")).unwrap();
    let bad = spool.entry("done", "a").unwrap().try_checkout();
    assert_eq!(kind_of(bad), ErrorKind::Corrupt);
}

#[test]
fn what_a_late_remove_gets_that_is_anothers_goes_back() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    named(&spool, "in", &["a"]);
    let other = other_host(&spool);
    let mut late = taken(&spool);
    run_out(&late);
    assert_eq!(recovered(&other), ["a"]);
    let mut theirs = taken(&other);
    assert_eq!(kind_of(late.remove()), ErrorKind::LostOwnership);
    drop(late);
    theirs.save("done").unwrap();
    assert_eq!(names_in(&spool.dir().join("done")), ["a"]);
}

#[test]
fn a_name_as_long_as_a_directory_can_hold_is_removed() {
    let (_dir, spool) = new_network_spool(&["in"]);
    let long = "n".repeat(255);
    for dir in ["in", ".data", ".registry"] {
        fs::write(spool.dir().join(dir).join(&long), "").unwrap();
    }
    let mut mine = spool.entry("in", &long).unwrap().checkout().unwrap();
    mine.remove().unwrap();
    for dir in ["in", "in/.checkout", ".data", ".registry"] {
        assert_eq!(names_in(&spool.dir().join(dir)), [""; 0], "{dir}");
    }
}

#[test]
fn what_was_on_its_way_out_when_its_remover_died_is_returned() {
    let (_dir, spool) = new_network_spool(&["in", "done"]);
    named(&spool, "in", &["a"]);
    let other = other_host(&spool);
    let mut theirs = taken(&other);
    // A request of a holder before them, that came late; and that holder is dead.
    let checkouts = spool.dir().join("in/.checkout");
    fs::rename(checkouts.join("a"), checkouts.join(".a.abcdef")).unwrap();
    assert_eq!(recovered(&spool), [""; 0], "its name has a holder");
    let lively = Limits::new().max_reservation_age(Duration::ZERO);
    assert!(spool.problems(&lively).unwrap().is_empty());
    assert_eq!(kind_of(theirs.save("done")), ErrorKind::LostOwnership);
    drop(theirs);

    let options = RepairOptions::new().min_age(Duration::ZERO);
    let repaired = spool.repair(&options).unwrap().apply().unwrap();
    assert!(repaired.steps.is_empty(), "{:?}", repaired.steps);
    let again = EnqueueOptions::new().name("a");
    let refused = spool.enqueue_with("in", "", b"", &again);
    assert_eq!(kind_of(refused), ErrorKind::NameTaken);

    assert_eq!(
        recovered(&spool),
        [""; 0],
        "it may be a remover's that is about to claim it again"
    );
    age(&checkouts.join(".a.abcdef"), LEASE + Duration::from_secs(5));
    assert_eq!(recovered(&spool), ["a"]);
    let mut mine = taken(&spool);
    assert_eq!(mine.data_file().load().unwrap(), b"data");
    mine.remove().unwrap();
    assert_eq!(names_in(&checkouts), [""; 0]);
}
