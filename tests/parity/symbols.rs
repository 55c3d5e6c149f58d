//! That symbols and tests which are there are found, and others are not.

use crate::files::Files;
use crate::made_up::{GO, RUBY, RUST_TESTS, commands, rust_sources};
use crate::{c, command_line, go, ruby, rust};

fn all(has: fn(&Files, &str) -> bool, sources: &Files, symbols: &[&str], expected: bool) {
    for symbol in symbols {
        assert_eq!(has(sources, symbol), expected, "{symbol}");
    }
}

#[test]
fn symbols_of_rust_are_looked_for_in_their_type() {
    let (has, sources) = (rust::has_symbol, rust_sources());
    let there = [
        "Spool",
        "Spool::load",
        "Spool::dir",
        "Spool: Debug",
        "Spool: Ord",
        "Spool: From",
        "Mode::Local",
        "Mode::Network",
        "queues!",
        "Entry::create",
        "multispool::Entry::old",
        "Opens",
        "Opens::Of",
        "expert::checkout",
    ];
    all(has, &sources, &there, true);
    let absent = [
        "Pool",
        "Spool::limits",
        "Spool::discover",
        "Spool::hidden",
        "Spool::Network",
        "Mode::load",
        "Mode: Debug",
        "Names::from",
        "queue!",
        "Entry::old",
        "multispool::Entry::create",
        "Of",
        "expert::load",
    ];
    all(has, &sources, &absent, false);
}

#[test]
fn symbols_of_c_are_looked_for_outside_of_comments() {
    let header = "/* multispool_gone() */\n * multispool_lost\nint multispool_load(\n#define MULTISPOOL_OK 0\n";
    let sources = Files::made_up(&[("multispool.h", header)]);
    let has = c::has_symbol;
    all(has, &sources, &["multispool_load", "MULTISPOOL_OK"], true);
    let absent = ["multispool_gone", "multispool_lost", "multispool_loa"];
    all(has, &sources, &absent, false);
}

#[test]
fn symbols_of_go_are_looked_for_in_their_type() {
    let of_tests = ("spool_test.go", "func Helper() {\n}\n");
    let sources = Files::made_up(&[("spool.go", GO), of_tests]);
    let there = [
        "Spool",
        "Load",
        "ModeLocal",
        "Spool.List",
        "Spool.Dir",
        "Typed.Reader",
    ];
    all(go::has_symbol, &sources, &there, true);
    let absent = [
        "Close",
        "List",
        "Spool.Load",
        "Typed.List",
        "Helper",
        "Mode",
    ];
    all(go::has_symbol, &sources, &absent, false);
}

#[test]
fn symbols_of_ruby_are_looked_for_in_their_class() {
    let sources = Files::made_up(&[("multispool.rb", RUBY)]);
    let there = [
        "Spool",
        "Multispool.load",
        "Multispool.load(mode:, owners:)",
        "Spool.new(names:)",
        "Spool::NONE",
        "Spool#dir",
        "Spool#closed?",
        "Spool.take",
        "Event#time",
        "Event#to_s",
        ":start",
    ];
    all(ruby::has_symbol, &sources, &there, true);
    let absent = [
        "Pool",
        "Spool#list",
        "Spool.load",
        "Spool#take",
        "Spool#closed",
        "Spool#own",
        "Spool::SOME",
        "Spool.new(name:)",
        "Event#dir",
        ":star",
    ];
    all(ruby::has_symbol, &sources, &absent, false);
}

#[test]
fn verbs_and_flags_must_be_in_the_manual_and_in_the_sources() {
    let there = [
        "list",
        "list --checkouts",
        "list --checkouts --json",
        "show --json",
        "\"name\"",
    ];
    all(command_line::has_symbol, &commands(), &there, true);
    let absent = [
        "lists",
        "show --checkouts",
        "list --hidden",
        "list --check",
        "\"nam\"",
    ];
    all(command_line::has_symbol, &commands(), &absent, false);
}

#[test]
fn tests_are_told_from_what_only_looks_like_one() {
    let of_c = "static void it_loads(void **state)\nstatic void helper(void)\n";
    assert!(c::is_test(of_c, "it_loads") && !c::is_test(of_c, "helper"));
    let of_go = "func TestIt(t *testing.T) {\nfunc helper(t *testing.T) {\n";
    assert!(go::is_test(of_go, "TestIt") && !go::is_test(of_go, "helper"));
    let of_ruby = "  def test_it\n  def helper\n";
    assert!(ruby::is_test(of_ruby, "test_it") && !ruby::is_test(of_ruby, "helper"));
    assert!(rust::is_test(RUST_TESTS, "it_loads") && !rust::is_test(RUST_TESTS, "helper"));
}
