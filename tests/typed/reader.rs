//! Typed readers with handlers.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use multispool::spoolable::{Naming, Outcome, QueueReader};
use multispool::{Error, ErrorKind, Multispool, ReaderOptions, Stop};

use crate::{
    Kind, Names, NoOrder, Stage, Widgets, cog, inner, must_fail, must_panic, names, new_spool,
    order, ordered, sprocket, undecodable,
};

fn order_of_each(spool: &Multispool<Widgets>, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let naming = Naming::Reserve(&Names("widget"));
        let order = order(number, "Ada");
        spool
            .enqueue(Stage::Ordered, &order, &cog(), naming)
            .unwrap();
    }
}

#[test]
fn each_entry_that_is_there_is_handled_once_in_the_order_of_names() {
    let (_dir, spool) = new_spool();
    order_of_each(&spool, 0..4);
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    assert_eq!(
        (reader.queue(), reader.spool().dir()),
        (&Stage::Ordered, spool.dir())
    );
    assert_eq!(reader.untyped().queue().to_string(), "ordered");
    assert_eq!(format!("{reader:?}"), "QueueReader { queue: Ordered, .. }");
    let mut seen = Vec::new();
    reader
        .iter_available(|order, data| {
            seen.push(order.serial_number);
            assert_eq!(data.load()?.kind, Kind::Cog);
            data.save(&sprocket())?;
            Ok::<_, Error>(match order.serial_number {
                0 => Outcome::Save(order, Stage::Made),
                1 => Outcome::Save(crate::order(11, "Grace"), Stage::Shipped),
                2 => Outcome::Remove,
                // Back to where it was: not again in this pass.
                3 => Outcome::Save(order, Stage::Ordered),
                _ => unreachable!("there are four"),
            })
        })
        .unwrap();
    assert_eq!(seen, [0, 1, 2, 3]);
    assert_eq!(names(&spool), [["widget-3"], ["widget-0"], ["widget-1"]]);
    let shipped = spool.list(Stage::Shipped).unwrap().next().unwrap().unwrap();
    assert_eq!(shipped.direct().contents().unwrap(), order(11, "Grace"));
    let data = shipped.direct().data_file();
    assert_eq!(data.load().unwrap().kind, Kind::Sprocket);
}

#[test]
fn an_empty_queue_has_nothing_to_handle_and_is_not_waited_for() {
    let (_dir, spool) = new_spool();
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    reader
        .iter_available(|_, _| -> Result<_, Error> { unreachable!("there is nothing") })
        .unwrap();
}

#[test]
fn a_reader_waits_for_entries_until_it_is_stopped() {
    let (_dir, spool) = new_spool();
    order_of_each(&spool, 0..1);
    let stop = Stop::new().unwrap();
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
            reader.iter(Some(&stop), |order, _| {
                tell.send(order.serial_number).unwrap();
                Ok::<_, Error>(Outcome::Save(order, Stage::Made))
            })
        });
        let next = || told.recv_timeout(Duration::from_secs(60));
        let first = next();
        order_of_each(&spool, 1..2);
        let second = next();
        stop.trigger();
        reading.join().unwrap().unwrap();
        assert_eq!((first, second), (Ok(0), Ok(1)));
    });
    assert_eq!(names(&spool)[1], ["widget-0", "widget-1"]);
    // It is stopped from now on.
    order_of_each(&spool, 2..3);
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    reader
        .iter(Some(&stop), |_, _| -> Result<_, Error> {
            unreachable!("it is stopped")
        })
        .unwrap();
}

#[test]
fn an_entry_whose_metadata_does_not_decode_is_told_once_in_a_pass_and_stops_nobody() {
    let (_dir, spool) = new_spool();
    order_of_each(&spool, 0..1);
    undecodable(&spool, "a-bad", "no order");
    undecodable(&spool, "z-bad", "panic");
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    let mut handled = 0;
    let mut pass = || {
        reader.iter_available(|order, _| {
            handled += 1;
            Ok::<_, Error>(Outcome::Save(order, Stage::Made))
        })
    };
    let error = must_fail(
        pass(),
        ErrorKind::Corrupt,
        spool.dir().join("ordered/a-bad"),
    );
    assert_eq!(inner::<NoOrder>(&error), &NoOrder(b"no order".to_vec()));
    must_panic(&mut pass);
    pass().unwrap();
    assert_eq!(handled, 1);
    assert_eq!(
        names(&spool),
        [vec!["a-bad", "z-bad"], vec!["widget-0"], vec![]]
    );
}

#[test]
fn an_entry_whose_handler_fails_is_given_back_and_the_next_call_goes_on() {
    let (_dir, spool) = new_spool();
    order_of_each(&spool, 0..2);
    let options =
        ReaderOptions::new().retry_after(Duration::from_secs(600), Duration::from_secs(600));
    let mut reader = QueueReader::create_with(&spool, Stage::Ordered, &options).unwrap();
    let stop = Stop::new().unwrap();
    let failed = reader.iter(Some(&stop), |_, _| {
        Err::<Outcome<_, _>, _>(Refused::Handler)
    });
    assert!(matches!(failed, Err(Refused::Handler)));
    assert_eq!(names(&spool)[0], ["widget-0", "widget-1"]);
    let mut seen = Vec::new();
    reader
        .iter(Some(&stop), |order, _| {
            seen.push(order.serial_number);
            stop.trigger();
            Ok::<_, Error>(Outcome::Remove)
        })
        .unwrap();
    // The one that failed rests.
    assert_eq!(seen, [1]);
    assert_eq!(names(&spool)[0], ["widget-0"]);
}

#[derive(Debug)]
enum Refused {
    Handler,
    Spool,
}

impl From<Error> for Refused {
    fn from(_: Error) -> Refused {
        Refused::Spool
    }
}

#[test]
fn an_entry_whose_handler_panics_is_given_back() {
    let (_dir, spool) = new_spool();
    let entry = ordered(&spool);
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    must_panic(|| reader.iter_available(|_, _| -> Result<_, Error> { panic!("asked to") }));
    assert_eq!(names(&spool)[0], ["widget-0"]);
    crate::must_be_free(&entry);
}

#[test]
fn readers_at_once_handle_each_entry_once() {
    let (_dir, spool) = new_spool();
    order_of_each(&spool, 0..60);
    let mut numbers = thread::scope(|scope| {
        let read = || {
            let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
            let mut numbers = Vec::new();
            let handle = |order: crate::Order, _: &_| {
                numbers.push(order.serial_number);
                Ok::<_, Error>(Outcome::Save(order, Stage::Made))
            };
            reader.iter_available(handle).unwrap();
            numbers
        };
        let readers = [(); 4].map(|()| scope.spawn(read));
        readers.map(|reader| reader.join().unwrap()).concat()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (0..60).collect::<Vec<_>>());
    assert_eq!(names(&spool)[1].len(), 60);
}
