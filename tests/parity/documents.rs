//! That each kind of wrong in a document is told, with its line, its row and its column.

use crate::conformance::Conformance;
use crate::document::{Section, faults};
use crate::files::Files;
use crate::language::Language;
use crate::made_up::{RUST_TESTS, commands, rust_sources};
use crate::{command_line, rust};

const SECTIONS: &[Section<'static>] = &[("Spool", &["`dir`", "`load`"])];

fn languages() -> [Language; 2] {
    [
        Language {
            name: "Rust",
            sources: rust_sources(),
            has_symbol: rust::has_symbol,
            tests: Files::made_up(&[("core/spool.rs", RUST_TESTS)]),
            is_test: rust::is_test,
        },
        Language {
            name: "command line",
            sources: commands(),
            has_symbol: command_line::has_symbol,
            tests: Files::made_up(&[("cli/list.rs", RUST_TESTS)]),
            is_test: rust::is_test,
        },
    ]
}

fn conformance() -> Conformance {
    let cases = r#"[
        {"name": "load opens it", "shows": []},
        {"name": "a late save",
         "needs": ["options", "handles"], "steps": []}
    ]"#;
    Conformance {
        cases: Files::made_up(&[("load.json", cases)]),
        about: "| handles, hands | command line: it has none |\n".to_owned(),
    }
}

fn found(rows: &[&str]) -> Vec<String> {
    let head = "## Spool\n| seed | Rust | command line |\n|---|---|---|\n";
    let document = format!("{head}{}\n", rows.join("\n"));
    faults(&document, SECTIONS, &languages(), &conformance())
}

const DIR: &str = "| `dir` | `Spool::dir`<br>`core/spool.rs: it_loads` | – the argument SPOOL |";

/// What is wrong with a document whose second row has these cells.
fn found_in(cells: &str) -> Vec<String> {
    found(&[DIR, &format!("| `load` | {cells} |")])
}

const GOOD: &str = "`Spool::load`<br>`core/spool.rs: it_loads`";

#[test]
fn a_good_document_has_no_fault() {
    let cells =
        format!("{GOOD}, `conformance/load.json: a late save` | `list --checkouts` and more<br>");
    let none: [&str; 0] = [];
    assert_eq!(
        found_in(&format!("{cells}`conformance/load.json: load opens it`")),
        none
    );
}

#[test]
fn an_empty_cell_is_told() {
    assert_eq!(
        found_in(&format!("{GOOD} | ")),
        [r#"line 5: "`load`", command line: is empty"#]
    );
}

#[test]
fn a_dash_without_a_reason_is_told() {
    assert_eq!(
        found_in(&format!("{GOOD} | – ")),
        [r#"line 5: "`load`", command line: gives no reason"#]
    );
}

#[test]
fn a_symbol_that_is_not_there_is_told_also_in_a_reason() {
    assert_eq!(
        found_in("`Spool::lode`<br>`core/spool.rs: it_loads` | – see `list --gone`"),
        [
            r#"line 5: "`load`", Rust: no symbol `Spool::lode`"#,
            r#"line 5: "`load`", command line: no symbol `list --gone`"#
        ]
    );
}

#[test]
fn a_test_that_is_not_there_is_told() {
    assert_eq!(
        found_in("`Spool::load`<br>`core/spool.rs: helper`, `core/gone.rs: it_loads` | – none"),
        [
            r#"line 5: "`load`", Rust: no test `core/spool.rs: helper`"#,
            r#"line 5: "`load`", Rust: no test `core/gone.rs: it_loads`"#
        ]
    );
}

#[test]
fn a_cell_without_symbols_or_without_tests_is_told() {
    assert_eq!(
        found_in("`core/spool.rs: it_loads` | `list`"),
        [
            r#"line 5: "`load`", Rust: names no symbol"#,
            r#"line 5: "`load`", command line: names no test"#
        ]
    );
}

#[test]
fn a_case_that_is_not_there_or_not_played_there_is_told() {
    let cells = format!("{GOOD}, `conformance/load.json: gone` | `list`<br>");
    assert_eq!(
        found_in(&format!("{cells}`conformance/load.json: a late save`")),
        [
            r#"line 5: "`load`", Rust: no case `conformance/load.json: gone`"#,
            "line 5: \"`load`\", command line: `conformance/load.json: a late save` is not played \
             there: it needs handles"
        ]
    );
}

#[test]
fn a_backtick_without_another_is_told() {
    assert_eq!(
        found_in(&format!("{GOOD} | – see `list")),
        [r#"line 5: "`load`", command line: a backtick has no other"#]
    );
}

#[test]
fn a_row_that_is_missing_unknown_or_there_twice_is_told() {
    assert_eq!(found(&[DIR]), [r#"Spool lacks the row "`load`""#]);
    let load = format!("| `load` | {GOOD} | – none |");
    let other = load.replace("`load`", "`lode`");
    assert_eq!(
        found(&[DIR, &load, &other]),
        [r#"line 6: Spool has no row "`lode`""#]
    );
    assert_eq!(
        found(&[DIR, &load, &load]),
        [r#"line 6: "`load`" is there twice"#]
    );
}

#[test]
fn a_row_with_too_few_cells_and_other_columns_are_told() {
    assert_eq!(found_in(GOOD), [r#"line 5: "`load`" has 1 cells, not 2"#]);
    let document = format!("## Spool\n| seed | Rust | C |\n{DIR}\n| `load` | {GOOD} | – none |\n");
    assert_eq!(
        faults(&document, SECTIONS, &languages(), &conformance()),
        [r#"line 2: the columns are not ["Rust", "command line"]"#]
    );
}
