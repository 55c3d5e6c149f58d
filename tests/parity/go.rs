//! `Name` of the package, or `Type.Name` of a method or a field.

use crate::files::{Files, after_word, block};

pub fn has_symbol(sources: &Files, symbol: &str) -> bool {
    let is_exported = symbol
        .split('.')
        .all(|name| name.starts_with(char::is_uppercase));
    let mut files = sources
        .iter()
        .filter(|(path, _)| !path.ends_with("_test.go"));
    is_exported
        && files.any(|(_, text)| match symbol.split_once('.') {
            Some((name, member)) => has_member(text, name, member),
            None => has_name(text, symbol),
        })
}

pub fn is_test(text: &str, name: &str) -> bool {
    let is_one = ["Test", "Example", "Fuzz"]
        .iter()
        .any(|kind| name.starts_with(kind));
    let head = format!("func {name}(");
    is_one && text.lines().any(|line| line.starts_with(&head))
}

fn has_name(text: &str, name: &str) -> bool {
    let declared = |line: &str| {
        ["func ", "type ", "var ", "const "]
            .iter()
            .filter_map(|kind| line.strip_prefix(kind))
            .any(|rest| after_word(rest, name).is_some())
    };
    let in_a_group = |line: &str| {
        let rest = line.strip_prefix('\t').and_then(|l| after_word(l, name));
        rest.is_some_and(|rest| rest.contains(" = "))
    };
    text.lines().any(|line| declared(line) || in_a_group(line))
}

fn has_member(text: &str, name: &str, member: &str) -> bool {
    if !text.contains(member) {
        return false;
    }
    let lines: Vec<&str> = text.lines().collect();
    let method = |line: &&str| {
        let signature = line.strip_prefix("func (").and_then(|l| l.split_once(") "));
        signature.is_some_and(|(receiver, rest)| {
            let of = receiver.split_once(' ').map_or(receiver, |(_, of)| of);
            after_word(of.trim_start_matches('*'), name).is_some()
                && after_word(rest, member).is_some_and(|rest| rest.starts_with('('))
        })
    };
    let field = |at: usize| {
        let rest = lines[at].strip_prefix("type ");
        rest.is_some_and(|rest| after_word(rest, name).is_some())
            && block(&lines, at, "}")
                .iter()
                .any(|line| after_word(line.trim_start(), member).is_some())
    };
    lines.iter().any(method) || (0..lines.len()).any(field)
}
