//! `docs/parity.md` has every row of the original's interface, and names nothing that is not there: in each cell the
//! symbols are looked for in the sources of that language, and the tests in its tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

use std::path::Path;

use conformance::Conformance;
use files::Files;
use language::Language;

mod c;
mod command_line;
mod conformance;
mod document;
mod documents;
mod files;
mod go;
mod language;
mod made_up;
mod ruby;
mod rust;
mod seed;
mod symbols;

#[test]
fn every_row_names_symbols_and_tests_that_are_there_in_every_language() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/parity.md")).unwrap();
    let faults = document::faults(&document, seed::SECTIONS, &languages(root), &cases(root));
    assert!(faults.is_empty(), "docs/parity.md\n{}", faults.join("\n"));
}

/// In the order of the document's columns.
fn languages(root: &Path) -> [Language; 5] {
    let mut rust_tests = Files::below(&root.join("tests"), "rs");
    rust_tests.add("src", Files::below(&root.join("src"), "rs"));
    let mut header = Files::below(&root.join("include"), "h");
    header.add("c", Files::in_folder(&root.join("bindings/c"), "h"));
    let mut commands = Files::below(&root.join("src/bin/multispool"), "rs");
    commands.add("docs", Files::in_folder(&root.join("docs"), "md"));
    let go = root.join("bindings/go");
    let ruby = root.join("bindings/ruby");
    [
        Language {
            name: "Rust",
            sources: Files::below(&root.join("src"), "rs").without("bin/"),
            has_symbol: rust::has_symbol,
            tests: rust_tests.clone(),
            is_test: rust::is_test,
        },
        Language {
            name: "C",
            sources: header,
            has_symbol: c::has_symbol,
            tests: Files::in_folder(&root.join("bindings/c/tests"), "c"),
            is_test: c::is_test,
        },
        Language {
            name: "Go",
            sources: Files::in_folder(&go, "go"),
            has_symbol: go::has_symbol,
            tests: Files::below(&go, "go"),
            is_test: go::is_test,
        },
        Language {
            name: "Ruby",
            sources: Files::below(&ruby.join("lib"), "rb"),
            has_symbol: ruby::has_symbol,
            tests: Files::in_folder(&ruby.join("test"), "rb"),
            is_test: ruby::is_test,
        },
        Language {
            name: "command line",
            sources: commands,
            has_symbol: command_line::has_symbol,
            tests: rust_tests,
            is_test: rust::is_test,
        },
    ]
}

fn cases(root: &Path) -> Conformance {
    let folder = root.join("tests/conformance");
    Conformance {
        cases: Files::in_folder(&folder.join("cases"), "json"),
        about: std::fs::read_to_string(folder.join("README.md")).unwrap(),
    }
}
