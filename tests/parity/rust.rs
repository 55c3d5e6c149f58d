//! `Type`, `Type::member`, `module::function`, `Type: Trait`, `macro!`; `multispool::Type` at the root of the crate.

use crate::files::{Files, after_word, block, has_word, line_at, places};

/// The types that a caller gives are in this folder. Where it has a type of that name, the others are not meant.
const TYPED: &str = "spoolable/";

pub fn has_symbol(sources: &Files, symbol: &str) -> bool {
    if let Some(name) = symbol.strip_suffix('!') {
        let head = format!("macro_rules! {name}");
        return any_line(sources, |line| after_word(line, &head).is_some());
    }
    if let Some((name, of)) = symbol.split_once(": ") {
        return scopes(sources, name)
            .iter()
            .any(|scope| implements(scope, of));
    }
    let (container, member) = symbol.rsplit_once("::").unwrap_or((symbol, symbol));
    scopes(sources, container)
        .iter()
        .any(|scope| has_member(scope, member))
}

pub fn is_test(text: &str, name: &str) -> bool {
    let head = format!("fn {name}() ");
    if !text.contains(&head) {
        return false;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    (0..lines.len())
        .filter(|at| lines[*at].starts_with(&head))
        .any(|at| {
            let above = lines[..at].iter().rev();
            let mut attributes = above.take_while(|line| line.starts_with("#["));
            attributes.any(|line| *line == "#[test]")
        })
}

fn any_line(sources: &Files, is: impl Fn(&str) -> bool) -> bool {
    sources
        .texts()
        .any(|text| text.lines().any(|line| is(line.trim())))
}

/// The blocks of a type, with its attributes, and its impls; or the file of a module.
fn scopes<'a>(sources: &'a Files, name: &str) -> Vec<Vec<&'a str>> {
    let (root_only, name) = match name.strip_prefix("multispool::") {
        Some(name) => (true, name),
        None => (false, name),
    };
    let mut typed = Vec::new();
    let mut others = Vec::new();
    for (path, text) in sources.iter() {
        let is_typed = path.starts_with(TYPED);
        let of_module = [format!("/{name}.rs"), format!("/{name}/mod.rs")];
        let path = format!("/{path}");
        let is_module = of_module.iter().any(|end| path.ends_with(end));
        let is_headed = |at| heads(line_at(text, at), name);
        if is_typed && root_only || !is_module && !places(text, name).any(is_headed) {
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        let found = if is_typed { &mut typed } else { &mut others };
        for at in (0..lines.len()).filter(|at| heads(lines[*at], name)) {
            let above = lines[..at].iter().rev();
            let attributes = above.take_while(|line| line.starts_with("#["));
            let first = at - attributes.count();
            let scope = lines[first..at].iter().copied();
            found.push(code(scope.chain(block(&lines, at, "}"))));
        }
        if is_module {
            found.push(code(lines.into_iter()));
        }
    }
    if typed.is_empty() { others } else { typed }
}

fn code<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect()
}

/// Whether the line begins the type or one of its impls. Indented ones, as the types of a trait, are its members.
fn heads(line: &str, name: &str) -> bool {
    if let Some(rest) = after_word(line, "impl") {
        let (_, subject) = split_impl(rest);
        return after_word(subject, name).is_some();
    }
    let line = line.strip_prefix("pub ").unwrap_or(line);
    ["struct ", "enum ", "trait ", "type "]
        .iter()
        .filter_map(|kind| line.strip_prefix(kind))
        .any(|rest| after_word(rest, name).is_some())
}

/// The trait, if any, and the type of an impl, from what follows that word.
fn split_impl(rest: &str) -> (Option<&str>, &str) {
    let rest = without_generics(rest).trim_start();
    match rest.split_once(" for ") {
        Some((of, subject)) => (Some(of), subject),
        None => (None, rest),
    }
}

fn without_generics(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text[at..].strip_prefix('>').unwrap_or(&text[at..]);
        }
    }
    text
}

fn implements(scope: &[&str], of: &str) -> bool {
    scope.iter().map(|line| line.trim()).any(|line| {
        let derives = line.starts_with("#[derive(") && has_word(line, of);
        let by_hand = after_word(line, "impl")
            .and_then(|rest| split_impl(rest).0)
            .is_some_and(|found| has_word(found, of));
        derives || by_hand
    })
}

/// Whether the scope has it for everybody. What a trait has needs no `pub`, nor do variants.
fn has_member(scope: &[&str], name: &str) -> bool {
    let head = scope.iter().find(|line| !line.starts_with("#["));
    let head = head.copied().unwrap_or_default();
    let of_trait = match after_word(head, "impl") {
        Some(rest) => split_impl(rest).0.is_some(),
        None => head.starts_with("pub trait "),
    };
    let of_enum = head.starts_with("pub enum ");
    let lines = scope.iter().map(|line| line.trim());
    lines.filter(|line| line.contains(name)).any(|line| {
        let public = line.strip_prefix("pub ");
        let declared = if of_trait {
            public.or(Some(line))
        } else {
            public
        };
        declared.is_some_and(|line| declares(line, name))
            || public.is_some_and(|line| is_field(line, name))
            || of_enum && is_variant(line, name)
    })
}

fn declares(line: &str, name: &str) -> bool {
    ["fn ", "const ", "type ", "struct ", "enum ", "trait "]
        .iter()
        .filter_map(|kind| line.strip_prefix(kind))
        .any(|rest| after_word(rest, name).is_some())
}

fn is_field(line: &str, name: &str) -> bool {
    after_word(line, name).is_some_and(|rest| rest.starts_with(':'))
}

fn is_variant(line: &str, name: &str) -> bool {
    after_word(line, name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', ',', ' ']))
}
