//! Random operations. Names are few, so that they meet; a part of everything is odd or invalid.

use multispool::{Durability, Owners};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::{prop_oneof, sample};

use crate::operation::{
    Access, Age, Ages, Bytes, DataOp, Decision, DraftOp, Enqueue, EntryOp, Fork, Handler, HeldOp,
    Naming, Op, Part, Pick, ReaderOp, Source, Target, Then, WriterOp,
};

/// One case: a new spool, and all that is done to it.
#[derive(Clone, Debug)]
pub struct Case {
    pub owners: Owners,
    pub queues: Vec<Bytes>,
    pub ops: Vec<Op>,
}

/// The queues that a spool has or may come to have.
fn queues() -> [Bytes; 4] {
    let longest = vec![b'q'; multispool::MAX_NAME_BYTES];
    [
        Bytes(b"in".to_vec()),
        Bytes(b"out".to_vec()),
        Bytes(b"\xff\xfe\n".to_vec()),
        Bytes(longest),
    ]
}

/// Names of entries that are used again and again.
fn names() -> Vec<Bytes> {
    let longest = vec![b'n'; multispool::MAX_NAME_BYTES];
    let names: [&[u8]; 8] = [
        b"a",
        b"b",
        b"c",
        // As if it were a temporary file of the first.
        b"a.tmp.abcdef",
        b"\xc3\x28\xff \n",
        b"%s*[\\\"'",
        b"in",
        &longest,
    ];
    names.map(Bytes::from).to_vec()
}

fn invalid() -> impl Strategy<Value = Bytes> {
    let too_long = vec![b'x'; 256];
    let invalid: [&[u8]; 7] = [b"", b".", b"..", b".hidden", b"a/b", b"nul\0", &too_long];
    sample::select(invalid.map(Bytes::from).to_vec())
}

fn name() -> BoxedStrategy<Bytes> {
    prop_oneof![
        40 => sample::select(names()),
        2 => vec(1..=255_u8, 1..12).prop_map(random_name),
        // Found on disk they are fine, but no new one may be so long.
        1 => (245..=255_usize).prop_map(|length| Bytes(vec![b'l'; length])),
        1 => invalid(),
    ]
    .boxed()
}

/// Any bytes that may be a name.
fn random_name(mut bytes: Vec<u8>) -> Bytes {
    for byte in &mut bytes {
        if matches!(byte, b'/' | b'.') {
            *byte = b'_';
        }
    }
    Bytes(bytes)
}

fn queue() -> BoxedStrategy<Bytes> {
    prop_oneof![
        40 => sample::select(queues()[..2].to_vec()),
        4 => sample::select(queues()[2..].to_vec()),
        1 => Just(Bytes(b"nowhere".to_vec())),
        1 => invalid(),
    ]
    .boxed()
}

/// Those that a handle is opened with.
fn queue_set() -> BoxedStrategy<Vec<Bytes>> {
    prop_oneof![
        6 => Just(queues()[..2].to_vec()),
        2 => sample::subsequence(queues().to_vec(), 1..=4),
        1 => vec(queue(), 0..4),
    ]
    .boxed()
}

fn bytes() -> BoxedStrategy<Bytes> {
    prop_oneof![
        4 => Just(Bytes::default()),
        20 => vec(any::<u8>(), 1..20).prop_map(Bytes),
        // More than is read or written at once.
        1 => (any::<u8>(), 100_000..300_000_usize).prop_map(|(byte, length)| Bytes(vec![byte; length])),
    ]
    .boxed()
}

fn pick() -> impl Strategy<Value = Pick> {
    any::<u8>().prop_map(Pick)
}

fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![
        4 => Just(Durability::None),
        1 => Just(Durability::Original),
        1 => Just(Durability::Full),
    ]
}

fn age() -> impl Strategy<Value = Age> {
    prop_oneof![3 => Just(Age::Zero), 1 => Just(Age::Hour)]
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![
        3 => Just(Access::ReadWrite),
        2 => Just(Access::ReadOnly),
        1 => Just(Access::Unchecked),
    ]
}

fn naming() -> BoxedStrategy<Naming> {
    prop_oneof![
        2 => Just(Naming::ByTime),
        3 => vec(name(), 1..4).prop_map(Naming::Generator),
        1 => name().prop_map(Naming::Use),
        3 => pick().prop_map(Naming::UseReserved),
    ]
    .boxed()
}

fn enqueue() -> impl Strategy<Value = Enqueue> {
    (queue(), naming(), option::of(durability())).prop_map(|(queue, naming, durability)| Enqueue {
        queue,
        naming,
        durability,
    })
}

fn source() -> BoxedStrategy<Source> {
    prop_oneof![
        20 => bytes().prop_map(Source::Bytes),
        3 => bytes().prop_map(Source::File),
        3 => vec(bytes(), 0..4).prop_map(Source::Reader),
        1 => bytes().prop_map(Source::FailingReader),
        1 => Just(Source::MissingFile),
        1 => Just(Source::Directory),
    ]
    .boxed()
}

fn target() -> BoxedStrategy<Target> {
    prop_oneof![
        24 => pick().prop_map(Target::Waiting),
        6 => pick().prop_map(Target::CheckedOut),
        2 => (queue(), name()).prop_map(|(queue, name)| Target::Named(queue, name)),
    ]
    .boxed()
}

fn data_op() -> BoxedStrategy<DataOp> {
    prop_oneof![
        1 => Just(DataOp::Load),
        1 => Just(DataOp::Open),
        1 => Just(DataOp::Stat),
        2 => bytes().prop_map(DataOp::Save),
        3 => Just(DataOp::Write),
    ]
    .boxed()
}

fn decision() -> BoxedStrategy<Decision> {
    prop_oneof![
        4 => (queue(), option::of(bytes())).prop_map(|(queue, bytes)| Decision::Save(queue, bytes)),
        1 => Just(Decision::Remove),
        3 => Just(Decision::Release),
    ]
    .boxed()
}

fn handler() -> BoxedStrategy<Handler> {
    let then = prop_oneof![
        6 => decision().prop_map(Then::Decide),
        1 => Just(Then::Fail),
        1 => Just(Then::Panic),
    ];
    (option::of(bytes()), then)
        .prop_map(|(save_data, then)| Handler { save_data, then })
        .boxed()
}

fn entry_op() -> BoxedStrategy<EntryOp> {
    prop_oneof![
        1 => Just(EntryOp::Stat),
        2 => Just(EntryOp::Contents),
        3 => bytes().prop_map(EntryOp::Save),
        1 => Just(EntryOp::Remove),
        2 => data_op().prop_map(EntryOp::Data),
        8 => Just(EntryOp::Checkout),
        6 => Just(EntryOp::TryCheckout),
        3 => handler().prop_map(EntryOp::With),
        3 => handler().prop_map(EntryOp::TryWith),
    ]
    .boxed()
}

fn held_op() -> BoxedStrategy<HeldOp> {
    let save = (queue(), option::of(durability()));
    prop_oneof![
        6 => bytes().prop_map(HeldOp::Update),
        6 => save.prop_map(|(queue, durability)| HeldOp::Save(queue, durability)),
        3 => Just(HeldOp::Release),
        3 => Just(HeldOp::Remove),
        3 => decision().prop_map(HeldOp::Finish),
        1 => durability().prop_map(HeldOp::SetDurability),
        6 => data_op().prop_map(HeldOp::Data),
        3 => Just(HeldOp::Drop),
    ]
    .boxed()
}

fn reader_op() -> BoxedStrategy<ReaderOp> {
    prop_oneof![
        8 => Just(ReaderOp::DequeueAvailable),
        8 => Just(ReaderOp::DequeueNow),
        1 => Just(ReaderOp::DequeueStopped),
        1 => Just(ReaderOp::IterStopped),
        4 => vec(handler(), 1..4).prop_map(ReaderOp::IterAvailable),
        1 => Just(ReaderOp::Drop),
    ]
    .boxed()
}

fn ages() -> impl Strategy<Value = Ages> {
    let queue = option::of((queue(), age()));
    (age(), age(), age(), queue).prop_map(|(checked_out, temporary, reservation, queue)| Ages {
        checked_out,
        temporary,
        reservation,
        queue,
    })
}

/// All but forks.
fn op() -> BoxedStrategy<Op> {
    let spools = prop_oneof![
        4 => (queue_set(), durability()).prop_map(|(queues, durability)| Op::Create { queues, durability }),
        4 => (queue_set(), durability(), access())
            .prop_map(|(queues, durability, access)| Op::Load { queues, durability, access }),
        1 => Just(Op::Discover),
        1 => pick().prop_map(Op::CloseSpool),
        2 => (pick(), queue()).prop_map(|(spool, queue)| Op::List { spool, queue }),
        2 => pick().prop_map(Op::Stats),
        4 => (pick(), naming()).prop_map(|(spool, naming)| Op::Reserve { spool, naming }),
    ];
    let draft_op = prop_oneof![
        2 => bytes().prop_map(DraftOp::Append),
        3 => bytes().prop_map(DraftOp::Commit),
        1 => Just(DraftOp::Drop),
    ];
    let enqueues = prop_oneof![
        5 => (pick(), enqueue(), source(), bytes()).prop_map(|(spool, enqueue, source, metadata)| {
            Op::Enqueue { spool, enqueue, source, metadata }
        }),
        1 => (pick(), enqueue()).prop_map(|(spool, enqueue)| Op::Begin { spool, enqueue }),
        2 => (pick(), draft_op).prop_map(|(draft, op)| Op::Draft(draft, op)),
    ];
    let checkouts = prop_oneof![
        6 => (pick(), held_op()).prop_map(|(held, op)| Op::Held(held, op)),
        1 => (pick(), queue(), option::weighted(0.7, pick()))
            .prop_map(|(spool, queue, keep)| Op::ListCheckouts { spool, queue, keep }),
    ];
    let writer_op = prop_oneof![
        3 => bytes().prop_map(WriterOp::Append),
        3 => Just(WriterOp::Commit),
        1 => Just(WriterOp::Drop),
    ];
    let readers = prop_oneof![
        2 => (pick(), queue(), any::<bool>())
            .prop_map(|(spool, queue, rests)| Op::OpenReader { spool, queue, rests }),
        5 => (pick(), reader_op()).prop_map(|(reader, op)| Op::Reader(reader, op)),
    ];
    let part = sample::select(vec![Part::Metadata, Part::Data, Part::Reservation]);
    let care = prop_oneof![
        4 => (pick(), option::of(age()))
            .prop_map(|(spool, min_age)| Op::Recover { spool, min_age }),
        2 => (pick(), any::<bool>(), ages()).prop_map(|(spool, by_monitor, limits)| {
            Op::Problems { spool, by_monitor, limits }
        }),
        2 => (pick(), age()).prop_map(|(spool, min_age)| Op::Plan { spool, min_age }),
        3 => pick().prop_map(Op::Apply),
        2 => (target(), part).prop_map(|(target, part)| Op::Lose(target, part)),
    ];
    // Puts an entry in the way of one that is checked out, which its holder finds when it saves.
    let in_the_way = (pick(), pick(), bytes()).prop_map(|(spool, target, metadata)| Op::Entry {
        spool,
        target: Target::CheckedOut(target),
        op: EntryOp::Save(metadata),
    });
    prop_oneof![
        2 => spools,
        7 => enqueues,
        1 => in_the_way,
        5 => (pick(), target(), entry_op())
            .prop_map(|(spool, target, op)| Op::Entry { spool, target, op }),
        8 => checkouts,
        2 => (pick(), writer_op).prop_map(|(writer, op)| Op::Writer(writer, op)),
        6 => readers,
        3 => care,
    ]
    .boxed()
}

fn fork() -> BoxedStrategy<Fork> {
    let grandchild = option::weighted(0.4, vec(op(), 0..4));
    let flags = (any::<bool>(), any::<bool>());
    (vec(op(), 0..8), grandchild, vec(op(), 0..6), flags)
        .prop_map(
            |(ops, grandchild, meanwhile, (drops_inherited, killed))| Fork {
                ops,
                drops_inherited,
                grandchild,
                meanwhile,
                killed,
            },
        )
        .boxed()
}

pub fn case() -> impl Strategy<Value = Case> {
    let owners = prop_oneof![4 => Just(Owners::Locking), 1 => Just(Owners::Mixed)];
    let op = prop_oneof![30 => op(), 1 => fork().prop_map(Op::Fork)];
    let queues = prop_oneof![
        3 => Just(queues()[..2].to_vec()),
        1 => sample::subsequence(queues().to_vec(), 1..=4),
    ];
    (owners, queues, vec(op, 1..80)).prop_map(|(owners, queues, ops)| Case {
        owners,
        queues,
        ops,
    })
}
