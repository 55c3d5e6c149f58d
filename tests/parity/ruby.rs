//! `Class`, `Class#method`, `Class.method`, each with `(keyword:)` where that is what counts, `Class::CONSTANT`, `:symbol`.

use crate::files::{Files, after_word, block, has_word};

pub fn has_symbol(sources: &Files, symbol: &str) -> bool {
    if symbol.starts_with(':') {
        let values = sources.texts().flat_map(str::lines);
        return values
            .filter(|line| has_word(line, symbol) && !line.contains("::"))
            .any(|line| !line.trim_start().starts_with('#'));
    }
    let (symbol, keywords) = match symbol.strip_suffix(')').and_then(|s| s.split_once('(')) {
        Some((symbol, keywords)) => (symbol, keywords.split(", ").collect()),
        None => (symbol, Vec::new()),
    };
    let found = symbol
        .split_once("::")
        .map(|(class, name)| (class, "::", name))
        .or_else(|| {
            symbol
                .split_once('#')
                .map(|(class, name)| (class, "#", name))
        })
        .or_else(|| {
            symbol
                .split_once('.')
                .map(|(class, name)| (class, ".", name))
        });
    let (class, kind, member) = found.unwrap_or((symbol, "", ""));
    sources
        .texts()
        .filter(|text| text.contains(class))
        .flat_map(|text| classes(text, class))
        .any(|class| match kind {
            "" => true,
            "::" => class.iter().any(|line| is_constant(line, member)),
            "." => has_method(&class, member, true, &keywords),
            _ => has_attribute(&class, member) || has_method(&class, member, false, &keywords),
        })
}

pub fn is_test(text: &str, name: &str) -> bool {
    let head = format!("def {name}");
    name.starts_with("test_") && text.lines().any(|line| line.trim() == head)
}

/// Each without its private part.
fn classes<'a>(text: &'a str, name: &str) -> Vec<Vec<&'a str>> {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let heads = |line: &str| {
        let named = ["class ", "module "]
            .iter()
            .filter_map(|kind| line.strip_prefix(kind))
            .any(|rest| after_word(rest, name).is_some());
        let rest = after_word(line, name);
        named || rest.is_some_and(|rest| rest.starts_with(" = Struct.new("))
    };
    (0..lines.len())
        .filter(|at| heads(lines[*at].trim_start()))
        .map(|at| block(&lines, at, "end"))
        .map(|class| {
            class
                .into_iter()
                .take_while(|line| line.trim() != "private")
        })
        .map(Iterator::collect)
        .collect()
}

fn is_constant(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let value = after_word(line, name).is_some_and(|rest| rest.starts_with(" = "));
    value || after_word(line, &format!("class {name}")).is_some()
}

fn has_method(class: &[&str], name: &str, of_class: bool, keywords: &[&str]) -> bool {
    let in_class = class.iter().any(|line| line.trim() == "class << self");
    let name = if name == "new" { "initialize" } else { name };
    let of_class = of_class && name != "initialize";
    let begins = |line: &str| {
        let rest = line.trim_start().strip_prefix("def ");
        let (of_self, rest) = match rest.map(|rest| (rest.strip_prefix("self."), rest)) {
            Some((Some(rest), _)) => (true, rest),
            Some((None, rest)) => (in_class, rest),
            None => return false,
        };
        let of_name = |c: char| c.is_alphanumeric() || "_?!=".contains(c);
        let ends = rest
            .strip_prefix(name)
            .map(|rest| !rest.starts_with(of_name));
        ends.unwrap_or(false) && of_self == of_class
    };
    (0..class.len())
        .filter(|at| begins(class[*at]))
        .any(|at| has_keywords(&class[at..], keywords))
}

/// Whether the keywords are in the parentheses that open in the first line.
fn has_keywords(lines: &[&str], keywords: &[&str]) -> bool {
    let last = match lines[0].contains('(') {
        true => lines.iter().position(|line| line.contains(')')),
        false => None,
    };
    let signature = lines[..=last.unwrap_or(0)].join(" ");
    keywords.iter().all(|keyword| {
        let word = keyword.trim_end_matches(':');
        has_word(&signature, word) && signature.contains(keyword)
    })
}

fn has_attribute(class: &[&str], name: &str) -> bool {
    let named = format!(":{name}");
    let mut in_struct = false;
    class.iter().any(|line| {
        in_struct |= line.contains("Struct.new(");
        let is_list = in_struct || line.trim_start().starts_with("attr_");
        in_struct &= !line.contains(')');
        is_list && has_word(line, &named)
    })
}
