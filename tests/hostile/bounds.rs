//! How much metadata a handle takes into memory is the caller's to say.

use multispool::{Error, ErrorKind};

use crate::suite::Suite;
use crate::yard::{Yard, options};

pub fn run(suite: &mut Suite) {
    suite.case("bounds/metadata", |_| bounds());
}

fn bounds() -> Vec<String> {
    let yard = Yard::new(&["in", "out"]);
    let queues = ["in", "out"];
    let open = |most| {
        let options = options().max_metadata(most);
        options.load(yard.spool_dir(), queues).unwrap()
    };
    let (narrow, wide) = (open(10), open(11));
    let mut faults = Vec::new();
    let mut must = |is_so: bool, what: &str| {
        if !is_so {
            faults.push(what.to_owned());
        }
    };
    let is = |result: Result<(), Error>, kind| result.is_err_and(|error| error.kind() == kind);
    let refused = |result| is(result, ErrorKind::InvalidArgument);
    let (ten, eleven) = ([b'x'; 10], [b'x'; 11]);

    let entry = narrow.enqueue("in", ten, "").unwrap();
    must(
        refused(narrow.enqueue("in", eleven, "").map(drop)),
        "an enqueue takes more than the bound",
    );
    must(
        refused(entry.direct().save(eleven)),
        "a direct save takes more than the bound",
    );
    must(
        entry.direct().contents().unwrap() == ten,
        "the bound itself is too much",
    );
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata(eleven).unwrap();
    must(
        refused(checkout.save("out")) && !checkout.is_finished(),
        "a save takes more than the bound, or ends the checkout",
    );
    checkout.release().unwrap();
    must(
        std::fs::read_dir(yard.inside(".registry")).unwrap().count() == 1,
        "something is left of what was refused",
    );

    let large = wide.enqueue("in", eleven, "").unwrap();
    let seen = narrow.entry("in", large.name()).unwrap();
    let is_bad = |result| is(result, ErrorKind::Corrupt);
    must(
        is_bad(seen.direct().contents().map(drop)) && is_bad(seen.checkout().map(drop)),
        "more than the bound is read",
    );
    must(
        large.checkout().unwrap().metadata() == eleven,
        "a wider bound does not help",
    );
    faults
}
