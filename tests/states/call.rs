//! A line of strace, as the system call that it tells of.

/// A system call that has returned.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    arguments: Vec<String>,
    /// What it returned; `None` if it failed, and so changed nothing.
    pub result: Option<i64>,
}

impl Call {
    /// Reads a line of `strace -f -xx`, `PID NAME(ARGUMENTS) = RESULT`. `None` for a line that tells of the
    /// end of the process, and not of a call.
    pub fn parse(line: &str) -> Result<Option<Call>, String> {
        let wrong = |what: &str| format!("{what}: {line}");
        let (_, line_of_process) = line
            .trim_start()
            .split_once(' ')
            .ok_or_else(|| wrong("no process"))?;
        let text = line_of_process.trim_start();
        if text.starts_with("+++ exited with ") {
            return Ok(None);
        }
        if text.starts_with("+++") || text.starts_with("---") || text.contains("<unfinished") {
            return Err(wrong("a signal, or a call that another thread interrupted"));
        }
        let (name, rest) = text.split_once('(').ok_or_else(|| wrong("no call"))?;
        let (arguments, rest) = split(rest).ok_or_else(|| wrong("no end of the arguments"))?;
        let result = rest
            .trim_start()
            .strip_prefix("= ")
            .and_then(|rest| rest.split(' ').next())
            .ok_or_else(|| wrong("no result"))?;
        let result = match result.strip_prefix("0x") {
            Some(address) => i64::from_str_radix(address, 16).ok(),
            None => result.parse().ok(),
        };
        Ok(Some(Call {
            name: name.to_owned(),
            arguments,
            result: result.filter(|result| *result >= 0),
        }))
    }

    /// The argument as strace shows it.
    pub fn argument(&self, index: usize) -> Result<&str, String> {
        let argument = self.arguments.get(index);
        argument
            .map(String::as_str)
            .ok_or_else(|| format!("{} has no argument {index}", self.name))
    }

    pub fn number<T: std::str::FromStr>(&self, index: usize) -> Result<T, String> {
        let argument = self.argument(index)?;
        argument
            .parse()
            .map_err(|_| format!("{}: {argument} is no number", self.name))
    }

    /// Whether a flag is set in an argument of names and bars.
    pub fn has_flag(&self, index: usize, flag: &str) -> bool {
        self.argument(index)
            .is_ok_and(|flags| flags.split('|').any(|set| set == flag))
    }

    /// An argument that is text or bytes, of which strace has shown all.
    pub fn bytes(&self, index: usize) -> Result<Vec<u8>, String> {
        let argument = self.argument(index)?;
        let hex = argument
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let digits = hex.map(|hex| hex.split("\\x").skip(1));
        digits
            .and_then(|digits| {
                digits
                    .map(|two| u8::from_str_radix(two, 16).ok())
                    .collect::<Option<Vec<u8>>>()
            })
            .ok_or_else(|| format!("{}: these are not all of its bytes: {argument}", self.name))
    }
}

/// The arguments, and what follows their closing parenthesis.
fn split(text: &str) -> Option<(Vec<String>, &str)> {
    let mut arguments = Vec::new();
    let (mut depth, mut quoted, mut begun) = (0_u32, false, 0);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            // With -xx there is no quote within quotes.
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' if depth == 0 => {
                arguments.push(text[begun..index].trim().to_owned());
                return Some((arguments, &text[index + 1..]));
            }
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                arguments.push(text[begun..index].trim().to_owned());
                begun = index + 1;
            }
            _ => {}
        }
    }
    None
}
