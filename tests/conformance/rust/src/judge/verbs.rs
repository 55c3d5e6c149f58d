//! The steps that there are, and their arguments. docs/format.md says what each does.

/// How a step finds its spool.
const ENTRY: &str = "spool queue name";

/// Steps that an agent does: name, arguments.
const AGENTS: &[(&str, &str)] = &[
    ("create", OPEN),
    ("load", OPEN),
    ("load_unsafe", OPEN),
    ("discover", "dir"),
    ("describe", "spool"),
    (
        "close",
        "spool reader writer data_writer plan monitor daemon",
    ),
    ("reserve", "spool name"),
    (
        "enqueue",
        "spool queue metadata data path name reserve durability",
    ),
    ("begin_enqueue", "spool queue name as"),
    ("begin_data", "checkout spool queue name as"),
    ("write", "writer data_writer data"),
    ("commit", "writer data_writer metadata"),
    ("list", "spool queue"),
    ("list_checkouts", "spool queue take as"),
    ("entry", ENTRY),
    ("stat", ENTRY),
    ("checkout", TAKE),
    ("try_checkout", TAKE),
    ("with_entry", HANDLE),
    ("try_with_entry", HANDLE),
    ("show", "checkout"),
    ("update", "checkout metadata"),
    ("save", "checkout queue durability"),
    ("remove", "checkout durability"),
    ("release", "checkout"),
    ("drop", "checkout"),
    ("data_path", "checkout spool queue name"),
    ("data_load", "checkout spool queue name"),
    ("data_stat", "checkout spool queue name"),
    ("data_save", "checkout spool queue name data"),
    ("direct_contents", ENTRY),
    ("direct_save", "spool queue name metadata"),
    ("direct_remove", ENTRY),
    ("reader", "spool queue retry_after_ms strict_order as"),
    ("dequeue", "reader timeout_ms stop as"),
    ("dequeue_available", "reader as"),
    ("each", "reader stop outcome to metadata count"),
    ("each_available", "reader outcome to metadata"),
    ("stop", "as"),
    ("trigger", "stop"),
    ("recover", "spool min_age_ms durability"),
    ("plan", "spool min_age_ms to as"),
    ("apply", "plan"),
    ("stats", "spool queue bytes"),
    ("problems", LIMITS),
    ("monitor", LIMITS),
    ("run_once", "monitor"),
    ("daemon", "monitor check_every_ms alert_after_cycles as"),
    ("next", "daemon timeout_ms stop"),
    ("limits_json", LIMITS),
    ("limits_from_json", "json"),
    ("spec_from_json", "json"),
    ("daemon_json", "json"),
];

/// Steps that the judge does by hand: what other processes do, damage, and the passage of time.
const BY_HAND: &[(&str, &str)] = &[
    ("file", "path contents"),
    ("directory", "path"),
    ("symlink", "path to"),
    ("hardlink", "path to"),
    ("fifo", "path"),
    ("erase", "path"),
    ("rename", "path to"),
    ("mode", "path mode"),
    ("age", "path seconds"),
    ("hold", "name"),
    ("let_go", "name"),
    ("no_descriptors", ""),
];

const OPEN: &str = "dir queue durability read_only owners mode file_mode dir_mode allow_world_writable \
                    max_concurrent as";
const TAKE: &str = "spool queue name durability as";
const HANDLE: &str = "spool queue name metadata data outcome to";
const LIMITS: &str = "spool dir max_checked_out_age_ms max_tmp_file_age_ms max_reservation_age_ms max_queue \
                      max_queue_age_ms min_free_bytes min_free_inodes as";

/// The arguments of a step, in a line; none where there is no such step.
pub fn keys(verb: &str) -> Option<&'static str> {
    AGENTS
        .iter()
        .chain(BY_HAND)
        .find(|(name, _)| *name == verb)
        .map(|(_, keys)| *keys)
}

/// Whether the judge does the step itself.
pub fn by_hand(verb: &str) -> bool {
    BY_HAND.iter().any(|(name, _)| *name == verb)
}

/// The verbs of all agents' steps.
pub fn of_agents() -> impl Iterator<Item = &'static str> {
    AGENTS.iter().map(|(name, _)| *name)
}

/// What a step takes for granted where a case does not say it: the one spool, reader and so on that most have.
pub fn granted(verb: &str) -> &'static [(&'static str, &'static str)] {
    let has = |key: &str| keys(verb).is_some_and(|keys| keys.split(' ').any(|its| its == key));
    match verb {
        "create" | "load" | "load_unsafe" => &[("dir", "${spool}"), ("as", "spool")],
        "discover" => &[("dir", "${spool}")],
        "monitor" => &[("dir", "${spool}"), ("as", "monitor")],
        "limits_json" => &[],
        "reader" => &[("spool", "spool"), ("as", "reader")],
        "plan" => &[("spool", "spool"), ("as", "plan")],
        "daemon" => &[("monitor", "monitor"), ("as", "daemon")],
        "checkout" | "try_checkout" => &[("spool", "spool"), ("as", "checkout")],
        "dequeue" | "dequeue_available" => &[("reader", "reader"), ("as", "checkout")],
        "stop" => &[("as", "stop")],
        "begin_enqueue" => &[("spool", "spool"), ("as", "writer")],
        "each" | "each_available" => &[("reader", "reader")],
        "run_once" => &[("monitor", "monitor")],
        "next" => &[("daemon", "daemon")],
        "apply" => &[("plan", "plan")],
        "trigger" => &[("stop", "stop")],
        "show" | "update" | "save" | "remove" | "release" | "drop" => &[("checkout", "checkout")],
        _ if has("spool") && !has("checkout") && !has("reader") => &[("spool", "spool")],
        _ => &[],
    }
}
