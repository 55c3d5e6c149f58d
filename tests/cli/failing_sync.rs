//! A sync that fails: the exit status tells the truth about what is visible.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter, sock_fprog,
};

use crate::binary::{Bench, run};

/// Descriptors that a call may sync are among these numbers.
const DESCRIPTORS: std::ops::Range<u32> = 3..40;

#[derive(Clone, Copy)]
enum Failing {
    /// fsync and fdatasync of this descriptor.
    Descriptor(u32),
    Every,
}

/// Makes every fsync and fdatasync that is meant answer EIO.
fn fail_syncs(command: &mut Command, failing: Failing) {
    let statement = |code: u32, k: u32| sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    let jump = |code: u32, k: u32, jt: u8, jf: u8| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    // Offsets in struct seccomp_data: the call's number, and the low half of its first argument.
    let (number, argument) = (
        0,
        if cfg!(target_endian = "little") {
            16
        } else {
            20
        },
    );
    let mut filter = vec![
        statement(BPF_LD | BPF_W | BPF_ABS, number),
        jump(BPF_JMP | BPF_JEQ | BPF_K, libc::SYS_fsync as u32, 1, 0),
        jump(BPF_JMP | BPF_JEQ | BPF_K, libc::SYS_fdatasync as u32, 0, 3),
        statement(BPF_LD | BPF_W | BPF_ABS, argument),
        match failing {
            Failing::Descriptor(descriptor) => jump(BPF_JMP | BPF_JEQ | BPF_K, descriptor, 0, 1),
            // A descriptor never has its highest bit set.
            Failing::Every => jump(BPF_JMP | BPF_JSET | BPF_K, 1 << 31, 1, 0),
        },
        statement(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | libc::EIO as u32),
        statement(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        let program = sock_fprog {
            len: filter.len() as u16,
            filter: filter.as_mut_ptr(),
        };
        // SAFETY: prctl is async-signal-safe, and both structures live through the calls.
        let answers = unsafe {
            [
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::SECCOMP_MODE_FILTER,
                    &raw const program,
                    0,
                    0,
                ),
            ]
        };
        if answers == [0, 0] {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    };
    // SAFETY: `install` makes two system calls and allocates nothing.
    unsafe { command.pre_exec(install) };
}

#[test]
fn whichever_sync_of_an_enqueue_fails_its_status_is_true() {
    let mut seen = [false; 5];
    for descriptor in DESCRIPTORS {
        let bench = Bench::new();
        let mut command = bench.command("enqueue");
        command.args(["incoming", "--metadata", "m", "--data", "/dev/null"]);
        fail_syncs(&mut command, Failing::Descriptor(descriptor));
        let ran = run(&mut command);
        let (printed, listed) = (ran.lines(), bench.list("incoming"));
        match ran.status {
            Some(0 | 4) => assert_eq!(
                (printed.len(), &printed),
                (1, &listed),
                "descriptor {descriptor}: {}",
                ran.err
            ),
            Some(3) => assert!(
                printed.is_empty() && listed.is_empty(),
                "descriptor {descriptor}: {}",
                ran.err
            ),
            other => panic!("{other:?}: {}", ran.err),
        }
        seen[ran.status.unwrap() as usize] = true;
    }
    assert_eq!(
        seen,
        [true, false, false, true, true],
        "a sync before and one after the rename must both have failed"
    );
}

#[test]
fn not_durable_ends_with_4_and_the_name_is_printed() {
    let verbs: [&[&str]; 5] = [
        &["move", "incoming", "done", "a"],
        &["remove", "incoming", "a"],
        &["dequeue", "incoming", "--save-to", "done"],
        &["dequeue", "incoming", "--remove"],
        &["dequeue", "incoming", "--remove", "--json"],
    ];
    for call in verbs {
        let bench = Bench::new();
        bench.put("a");
        let mut command = bench.command(call[0]);
        command.args(&call[1..]);
        fail_syncs(&mut command, Failing::Every);
        let ran = run(&mut command).ended(4).saying("a");
        if call.contains(&"--json") {
            assert_eq!(ran.json()[0]["outcome"], "not_durable");
        } else {
            assert_eq!(ran.text(), "a\n", "{call:?}");
        }
        assert!(bench.list("incoming").is_empty(), "{call:?}: it is done");
    }
}

#[test]
fn a_run_whose_saves_are_not_durable_ends_with_4() {
    let bench = Bench::new();
    bench.put("a");
    let mut command = bench.command("run");
    command.args([
        "incoming",
        "--all",
        "--json",
        "--save-to",
        "done",
        "--",
        "true",
    ]);
    fail_syncs(&mut command, Failing::Every);
    let ran = run(&mut command).ended(4).saying("a");
    assert_eq!(ran.json()[0]["outcome"], "not_durable");
    assert_eq!(bench.list("done"), ["a"]);
}

#[test]
fn a_file_that_cannot_be_synced_keeps_the_entry_in_its_queue() {
    let bench = Bench::new();
    bench.put("a");
    let to = bench.path("data");
    let mut command = bench.command("dequeue");
    command
        .args(["incoming", "--remove", "--durability", "none", "--data-to"])
        .arg(&to);
    fail_syncs(&mut command, Failing::Every);
    run(&mut command).ended(3).saying("sync");
    assert_eq!(bench.list("incoming"), ["a"]);
    assert!(!to.exists());
}
