//! Reads the header and writes, in C, a call of each of its functions: `calls.h`, for the programs beside this file.
//! Where arguments come from is theirs to say (`take_…`), and what becomes of answers (`answered_…`, `keep_…`).
//! A function whose arguments are not understood is an error here, not one that is left out.
//!
//!     generate HEADER >calls.h

use std::error::Error;
use std::fmt::Write;

/// A parameter: its type, with no spaces at its stars, and its name.
struct Parameter {
    of: String,
    name: String,
}

struct Function {
    returns: String,
    name: String,
    parameters: Vec<Parameter>,
}

/// "const char *name" as ("const char*", "name").
fn typed(text: &str) -> Option<(String, String)> {
    let at = text.rfind([' ', '*'])? + 1;
    let (of, name) = text.split_at(at);
    let of = of.replace(" *", "*").replace("* ", "*");
    Some((of.trim().to_owned(), name.to_owned()))
}

/// The header's text without comments, directives and the attribute.
fn code(header: &str) -> String {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, after)) = rest.split_once("/*") {
        code += before;
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    code += rest;
    code.lines()
        .filter(|line| !line.starts_with('#') && !line.trim_end().ends_with('\\'))
        .collect::<Vec<_>>()
        .join(" ")
        .replace("MULTISPOOL_MUST_USE", " ")
}

fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for declaration in code.split(';') {
        let declaration = declaration.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some((before, parameters)) = declaration.rsplit_once('(') else {
            continue;
        };
        let Some((returns, name)) = typed(before) else {
            continue;
        };
        if declaration.contains("typedef") || !name.starts_with("multispool_") {
            continue;
        }
        let parameters = parameters
            .trim_end_matches(')')
            .split(", ")
            .filter(|text| *text != "void")
            .filter_map(typed)
            .map(|(of, name)| Parameter { of, name })
            .collect();
        functions.push(Function {
            returns,
            name,
            parameters,
        });
    }
    functions
}

/// "entry" of "const multispool_entry*".
fn handle<'a>(of: &'a str, stars: &str) -> Option<&'a str> {
    of.strip_prefix("const ")
        .unwrap_or(of)
        .strip_prefix("multispool_")?
        .strip_suffix(stars)
        .filter(|name| !name.contains('*'))
}

/// The call of one function, as a C function without arguments.
fn call(function: &Function) -> Result<String, Box<dyn Error>> {
    let mut before = String::new();
    let mut after = String::new();
    let mut arguments = Vec::new();
    let mut error = "NULL".to_owned();
    let is_free = function.name.ends_with("_free");
    let mut parameters = function.parameters.iter().enumerate().peekable();
    while let Some((at, Parameter { of, name })) = parameters.next() {
        let value = format!("a{at}");
        let wish = format!("take_wish(\"{name}\")");
        match of.as_str() {
            "multispool_error**" => {
                writeln!(before, "    multispool_error *failure = UNSET;")?;
                writeln!(
                    before,
                    "    multispool_error **{value} = {wish} ? &failure : NULL;"
                )?;
                error = format!("{value} != NULL ? failure : UNSET");
            }
            // Taken together: room for as many as are asked for, and how many came.
            "multispool_checkout**" if name == "checkouts" => {
                writeln!(before, "    multispool_checkout *many[MANY] = {{NULL}};")?;
                writeln!(
                    before,
                    "    multispool_checkout **{value} = {wish} ? many : NULL;"
                )?;
                writeln!(
                    after,
                    "    if ({value} != NULL)\n        keep_many(many, came);"
                )?;
            }
            "size_t" if name == "most" => {
                writeln!(before, "    size_t {value} = take_count(MANY);")?;
            }
            "size_t*" if name == "count" => {
                writeln!(before, "    size_t came = 0;\n    size_t *{value} = &came;")?;
            }
            "multispool_checkout*const*" => {
                let (_, count) = parameters.next().ok_or("a list without its length")?;
                writeln!(before, "    multispool_checkout *many[MANY];")?;
                writeln!(before, "    size_t {} = take_many(many);", count.name)?;
                writeln!(before, "    multispool_checkout *const *{value} = many;")?;
                arguments.push(value);
                arguments.push(count.name.clone());
                continue;
            }
            "int32_t*" => {
                writeln!(before, "    int32_t statuses[MANY];")?;
                writeln!(before, "    int32_t *{value} = {wish} ? statuses : NULL;")?;
            }
            "const char*const*" => {
                let (_, count) = parameters.next().ok_or("a list without its length")?;
                writeln!(before, "    const char *texts[MANY];")?;
                writeln!(
                    before,
                    "    size_t {} = take_texts(texts, \"{name}\");",
                    count.name
                )?;
                writeln!(before, "    const char *const *{value} = texts;")?;
                arguments.push(value);
                arguments.push(count.name.clone());
                continue;
            }
            "const uint8_t*" => {
                let (_, len) = parameters.next().ok_or("bytes without their length")?;
                writeln!(before, "    size_t {} = 0;", len.name)?;
                writeln!(
                    before,
                    "    const uint8_t *{value} = take_bytes(&{});",
                    len.name
                )?;
                arguments.push(value);
                arguments.push(len.name.clone());
                continue;
            }
            "const char*" => {
                writeln!(before, "    const char *{value} = take_text(\"{name}\");")?;
            }
            "const char**" => {
                writeln!(before, "    const char *text = NULL;")?;
                writeln!(before, "    const char **{value} = {wish} ? &text : NULL;")?;
                writeln!(after, "    touch_text(text);")?;
            }
            "int*" => {
                writeln!(
                    before,
                    "    int number = -1;\n    int *{value} = {wish} ? &number : NULL;"
                )?;
                let owned = !function.name.ends_with("_fd");
                writeln!(after, "    keep_descriptor(number, {});", i32::from(owned))?;
            }
            "size_t*" => {
                writeln!(before, "    size_t len = 0;\n    size_t *{value} = &len;")?;
            }
            "int64_t*" | "uint64_t*" => {
                let plain = of.trim_end_matches('*');
                writeln!(before, "    {plain} number{at} = 0;")?;
                writeln!(before, "    {of}{value} = {wish} ? &number{at} : NULL;")?;
            }
            "int32_t" | "uint32_t" | "int64_t" | "uint64_t" | "size_t" => {
                writeln!(before, "    {of} {value} = ({of})take_number(\"{name}\");")?;
            }
            other => {
                if let Some(kind) = handle(other, "**") {
                    writeln!(before, "    multispool_{kind} *new{at} = UNSET;")?;
                    writeln!(
                        before,
                        "    multispool_{kind} **{value} = {wish} ? &new{at} : NULL;"
                    )?;
                    writeln!(
                        after,
                        "    if ({value} != NULL)\n        keep_{kind}(new{at});"
                    )?;
                } else if let Some(kind) = handle(other, "*") {
                    let how = if is_free { "give_up" } else { "take" };
                    let of = other.trim_end_matches('*');
                    writeln!(before, "    {of} *{value} = {how}_{kind}();")?;
                } else {
                    return Err(format!("{}: a parameter of type {other}", function.name).into());
                }
            }
        }
        arguments.push(value);
    }
    let calling = format!("{}({})", function.name, arguments.join(", "));
    let has_error = error != "NULL";
    let body = match function.returns.as_str() {
        "void" => format!("    {calling};\n    answered_nothing();\n"),
        // The error is looked at after the call.
        "int32_t" if has_error => {
            format!("    int32_t status = {calling};\n    answered_status(status, {error});\n")
        }
        "int" | "int32_t" | "uint32_t" | "int64_t" | "uint64_t" | "size_t" => {
            format!("    answered_number((int64_t){calling});\n")
        }
        "const char*" => format!("    answered_text({calling});\n"),
        "const uint8_t*" => {
            format!("    const uint8_t *bytes = {calling};\n    answered_bytes(bytes, len);\n")
        }
        other => {
            let kind =
                handle(other, "*").ok_or_else(|| format!("{}: returns {other}", function.name))?;
            format!("    answered_{kind}({calling});\n")
        }
    };
    let name = function.name.trim_start_matches("multispool_");
    Ok(format!(
        "static void call_{name}(void)\n{{\n{before}{body}{after}}}\n"
    ))
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: generate HEADER")?;
    let code = code(&std::fs::read_to_string(path)?);
    let functions = functions(&code);
    if functions.len() < 200 {
        return Err("the header was not understood".into());
    }
    println!("/* Written by generate.rs: a call of each function of multispool.h. */\n");
    for function in &functions {
        println!("{}", call(function)?);
    }
    println!(
        "static const struct {{\n    const char *name;\n    void (*call)(void);\n}} calls[] = {{"
    );
    for function in &functions {
        let name = function.name.trim_start_matches("multispool_");
        println!("    {{\"{}\", call_{name}}},", function.name);
    }
    println!("}};\nenum {{ CALLS = sizeof calls / sizeof *calls }};");
    Ok(())
}
