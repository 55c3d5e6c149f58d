//! What tells this process from all others, of this host and of others, now and after a restart.

use std::fs;

/// The host, its boot, the process and when it was started, a line each. What the system does not tell is left out: the
/// words are for a person who looks, and the file that they are written to is what counts.
pub(crate) fn process() -> String {
    let mut text = format!(
        "host {}\n",
        rustix::system::uname().nodename().to_string_lossy()
    );
    let mut line = |key: &str, value: &str| {
        text.push_str(&format!("{key} {}\n", value.trim()));
    };
    if let Ok(id) = fs::read_to_string("/etc/machine-id") {
        line("machine", &id);
    }
    if let Ok(id) = fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        line("boot", &id);
    }
    line("pid", &std::process::id().to_string());
    // After the command's name in brackets, which may hold anything, the start is the 20th field.
    if let Ok(stat) = fs::read_to_string("/proc/self/stat")
        && let Some((_, fields)) = stat.rsplit_once(')')
        && let Some(started) = fields.split_whitespace().nth(19)
    {
        line("started", started);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_says_which_it_is() {
        let text = super::process();
        let pid = format!("pid {}\n", std::process::id());
        assert!(text.starts_with("host "), "{text}");
        assert!(text.contains(&pid), "{text}");
        assert!(text.contains("boot "), "{text}");
        assert!(text.contains("started "), "{text}");
    }
}
