//! `include/multispool.h` is what `src/ffi/` says, compiles everywhere, and names exactly what the
//! shared library exports. `BLESS=1 cargo test --test header` writes it.
#![cfg(feature = "capi")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cbindgen::{Builder, Config, ItemType};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header_path() -> PathBuf {
    root().join("include/multispool.h")
}

/// The files of `src/ffi/` that export something, in the order in which a reader meets them.
const SECTIONS: [&str; 21] = [
    "version",
    "status",
    "error",
    "buffer",
    "names",
    "spool",
    "enqueue",
    "entry",
    "checkout",
    "data_file",
    "stop",
    "reader",
    "batch",
    "recover",
    "stats",
    "limits",
    "problems",
    "monitor",
    "event",
    "daemon",
    "repair",
];

fn sources() -> impl Iterator<Item = PathBuf> {
    let folder = root().join("src/ffi");
    SECTIONS
        .iter()
        .map(move |section| folder.join(format!("{section}.rs")))
}

/// What cbindgen makes of one file, the items of some kinds only.
fn bindings(config: &Config, source: &Path, kinds: &[ItemType]) -> String {
    let mut config = config.clone();
    config.export.item_types = kinds.to_vec();
    let mut text = Vec::new();
    Builder::new()
        .with_config(config)
        .with_src(source)
        .generate()
        .unwrap_or_else(|error| panic!("{}: {error}", source.display()))
        .write(&mut text);
    String::from_utf8(text).expect("UTF-8")
}

/// Comments as people write them in C, without the `# Safety` sections: those speak to readers of the
/// Rust source, and the header's opening says the same for C.
fn with_tidy_comments(text: &str) -> String {
    let mut tidy = String::new();
    let mut comment: Option<Vec<&str>> = None;
    for line in text.trim().lines() {
        match (&mut comment, line) {
            (None, "/*") => comment = Some(Vec::new()),
            (None, line) => writeln!(tidy, "{line}").unwrap(),
            (Some(lines), " */") => {
                let end = lines
                    .iter()
                    .position(|line| *line == "# Safety")
                    .unwrap_or(lines.len());
                let said = lines[..end].join("\n");
                match said.trim() {
                    said if !said.contains('\n') && said.len() <= 94 => {
                        writeln!(tidy, "/* {said} */").unwrap();
                    }
                    said => {
                        let said = said.replace('\n', "\n * ").replace(" * \n", " *\n");
                        writeln!(tidy, "/*\n * {said}\n */").unwrap();
                    }
                }
                comment = None;
            }
            (Some(lines), line) => lines.push(line.strip_prefix(' ').unwrap_or(line)),
        }
    }
    tidy
}

/// A module's own documentation as the heading of its section.
fn heading(source: &Path) -> String {
    let text = fs::read_to_string(source).expect("a source file");
    let mut heading = String::from("/*\n");
    for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
        match line.strip_prefix(" # ") {
            Some(title) => {
                writeln!(heading, " * {title}\n * {}", "=".repeat(title.len())).unwrap();
            }
            None if line.is_empty() && heading.ends_with("=\n") => {}
            None => writeln!(heading, " *{line}").unwrap(),
        }
    }
    heading + " */\n"
}

fn version_macros() -> String {
    format!(
        "/* The version of this header; multispool_version() tells that of the library. */\n\
         #define MULTISPOOL_VERSION_MAJOR {}\n\
         /* The second number. */\n\
         #define MULTISPOOL_VERSION_MINOR {}\n\
         /* The third number. */\n\
         #define MULTISPOOL_VERSION_PATCH {}\n\
         /* The three as text. */\n\
         #define MULTISPOOL_VERSION_STRING \"{}\"\n\
         /* The three as a number that grows with them. */\n\
         #define MULTISPOOL_VERSION \\\n    \
         ((MULTISPOOL_VERSION_MAJOR << 16) | (MULTISPOOL_VERSION_MINOR << 8) | MULTISPOOL_VERSION_PATCH)\n",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
        env!("CARGO_PKG_VERSION"),
    )
}

fn generated() -> String {
    let mut config = Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    let opening = config.header.take().expect("header");
    let after_includes = config.after_includes.take().expect("after_includes");

    let mut header = format!(
        "{}\n\
         /* Generated from src/ffi/ by `make header`: do not edit. */\n\n\
         #ifndef MULTISPOOL_H\n#define MULTISPOOL_H\n\n\
         #include <stddef.h>\n#include <stdint.h>\n\n\
         {}\n{}\n\
         #ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n\
         /*\n * Types\n * =====\n */\n",
        opening.trim(),
        version_macros(),
        after_includes.trim_start(),
    );
    let mut sections = String::new();
    for source in sources() {
        let types = bindings(&config, &source, &[ItemType::OpaqueItems]);
        let items = bindings(
            &config,
            &source,
            &[ItemType::Constants, ItemType::Functions],
        );
        if types.contains("typedef") {
            write!(header, "\n{}", with_tidy_comments(&types)).unwrap();
        }
        if !items.trim().is_empty() {
            write!(
                sections,
                "\n{}\n{}",
                heading(&source),
                with_tidy_comments(&items)
            )
            .unwrap();
        }
    }
    header + &sections + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
}

/// The names that the header defines as macros, but for the guard and the attribute.
fn macros(header: &str) -> Vec<&str> {
    header
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split_whitespace().next())
        .filter(|name| !matches!(*name, "MULTISPOOL_H" | "MULTISPOOL_MUST_USE"))
        .collect()
}

/// The functions that the header declares.
fn functions(header: &str) -> BTreeSet<&str> {
    let mut in_comment = false;
    let mut names = BTreeSet::new();
    for line in header.lines() {
        if line.starts_with("/*") {
            in_comment = true;
        }
        if !in_comment
            && !line.starts_with([' ', '#'])
            && let Some((before, _)) = line.split_once('(')
        {
            let name = before.rsplit([' ', '*']).next().unwrap_or_default();
            if name.starts_with("multispool_") {
                names.insert(name);
            }
        }
        if line.trim_end().ends_with("*/") {
            in_comment = false;
        }
    }
    names
}

#[test]
fn the_header_is_what_the_source_says() {
    let generated = generated();
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(root().join("include")).unwrap();
        fs::write(header_path(), &generated).unwrap();
    }
    let committed = fs::read_to_string(header_path()).expect("include/multispool.h");
    for (number, (old, new)) in committed.lines().zip(generated.lines()).enumerate() {
        assert_eq!(old, new, "line {}: run `make header`", number + 1);
    }
    assert_eq!(committed, generated, "run `make header`");
}

#[test]
fn every_file_that_exports_has_its_section() {
    let exporting: BTreeSet<PathBuf> = fs::read_dir(root().join("src/ffi"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| fs::read_to_string(path).unwrap().contains("no_mangle"))
        .collect();
    assert_eq!(exporting, sources().collect());
}

#[test]
fn the_version_macros_are_cargos() {
    let header = generated();
    for (name, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
        ("STRING", concat!("\"", env!("CARGO_PKG_VERSION"), "\"")),
    ] {
        let line = format!("#define MULTISPOOL_VERSION_{name} {value}");
        assert!(header.lines().any(|found| found == line), "no line: {line}");
    }
}

#[test]
fn every_function_that_can_fail_warns_when_its_status_is_dropped() {
    let header = generated();
    let lines: Vec<&str> = header.lines().collect();
    for (before, line) in lines.iter().zip(&lines[1..]) {
        let Some(name) = line.strip_prefix("int32_t multispool_") else {
            continue;
        };
        let getter = [
            "error_",
            "spool_durability(",
            "spool_mode(",
            "spool_read_only(",
            "checkout_finished(",
            "problems_",
            "event_",
            "steps_",
        ];
        let is_getter = getter.iter().any(|getter| name.starts_with(getter))
            || name.starts_with("stop_triggered(");
        assert_eq!(*before == "MULTISPOOL_MUST_USE", !is_getter, "{line}");
    }
}

#[test]
fn it_says_nothing_that_a_c_compiler_could_misread() {
    let header = generated();
    assert!(header.is_ascii(), "only ASCII");
    for line in header.lines() {
        assert!(line.len() <= 120, "too long: {line}");
    }
}

/// Compiles a program that includes the header twice and uses each of its macros and functions.
fn compiles_with(compiler: &str, standard: &str, extension: &str) {
    let header = generated();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join(format!("every_name.{extension}"));
    let mut program = String::from("#include <multispool.h>\n#include <multispool.h>\n");
    for (index, name) in macros(&header).iter().enumerate() {
        if name.ends_with("_STRING") {
            writeln!(
                program,
                "extern const char *const m{index}; const char *const m{index} = {name};"
            )
            .unwrap();
        } else {
            writeln!(
                program,
                "extern const long m{index}; const long m{index} = {name};"
            )
            .unwrap();
        }
    }
    writeln!(
        program,
        "typedef void (*any)(void);\nextern const any all[];\nconst any all[] = {{"
    )
    .unwrap();
    for name in functions(&header) {
        writeln!(program, "    (any){name},").unwrap();
    }
    program.push_str("};\n");
    fs::write(&source, program).unwrap();
    fs::write(folder.path().join("multispool.h"), header).unwrap();
    let output = Command::new(compiler)
        .args([
            standard,
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-fsyntax-only",
            "-I",
        ])
        .arg(folder.path())
        .arg(&source)
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(
        output.status.success(),
        "{compiler} {standard}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn it_compiles_as_c99_with_gcc() {
    compiles_with("gcc", "-std=c99", "c");
}

#[test]
fn it_compiles_as_c99_with_clang() {
    compiles_with("clang", "-std=c99", "c");
}

#[test]
fn it_compiles_as_cpp11_with_gcc() {
    compiles_with("g++", "-std=c++11", "cpp");
}

#[test]
fn it_compiles_as_cpp11_with_clang() {
    compiles_with("clang++", "-std=c++11", "cpp");
}

/// The shared library of this build: beside the test's own program.
fn shared_library() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().unwrap().join("libmultispool.so")
}

#[test]
fn the_shared_library_exports_exactly_the_functions_of_the_header() {
    let output = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(shared_library())
        .output()
        .expect("nm");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let exported: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    let header = generated();
    let declared = functions(&header);
    assert!(
        declared.len() > 100,
        "the header was not understood: {declared:?}"
    );
    let missing: Vec<_> = declared.difference(&exported).collect();
    let extra: Vec<_> = exported.difference(&declared).collect();
    assert!(missing.is_empty(), "declared, not exported: {missing:?}");
    assert!(extra.is_empty(), "exported, not declared: {extra:?}");
}

#[test]
fn the_shared_library_is_called_by_its_abi() {
    let output = Command::new("objdump")
        .arg("-p")
        .arg(shared_library())
        .output()
        .expect("objdump");
    let text = String::from_utf8_lossy(&output.stdout);
    let soname = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("SONAME"))
        .map(str::trim);
    assert_eq!(soname, Some("libmultispool.so.0"));
}
