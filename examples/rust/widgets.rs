//! A workshop: widgets are ordered, made and shipped, each by another worker, over one spool of typed entries.
//!
//! ```sh
//! widgets [SPOOL]
//! ```
//!
//! Creates the spool if it is not there, or works in a temporary one. Two of them may run on one spool at once.
//! Exit status: 0 done, 1 failure, 2 wrong usage.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use multispool::spoolable::monitor::{Limits, Monitor, Spec};
use multispool::spoolable::{
    Data, Entry, Metadata, Naming, Outcome, QueueReader, UniqueName, expert,
};
use multispool::{Error, ErrorKind, Multispool, NameGenerator, Spoolable, Unlimited};

/// The thing itself, in its data file.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Widget {
    kind: Kind,
    /// Its serial number is on it.
    is_engraved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Sprocket,
    Cog,
}

/// What is known of it in short.
#[derive(Clone, Debug, PartialEq)]
struct Order {
    serial_number: u32,
    customer: String,
}

multispool::queues! {
    /// How far a widget is.
    enum Stage {
        Ordered => "ordered",
        Made => "made",
        Shipped => "shipped",
    }
}

/// What is neither an order nor a widget.
#[derive(Debug)]
struct NotUnderstood(String);

/// `widget-00001` and so on: the first that is free.
struct SerialNumbers;

struct Workshop;

impl Spoolable for Workshop {
    type Metadata = Order;
    type Data = Widget;
    type Queue = Stage;
    type NameGenerator = SerialNumbers;
    type Throttle = Unlimited;
}

impl Metadata for Order {
    type Error = NotUnderstood;

    fn to_bytes(&self) -> Vec<u8> {
        format!("{} {}", self.serial_number, self.customer).into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Order, NotUnderstood> {
        let text = String::from_utf8_lossy(bytes);
        let order = text.split_once(' ').and_then(|(number, customer)| {
            Some(Order {
                serial_number: number.parse().ok()?,
                customer: customer.to_owned(),
            })
        });
        order.ok_or_else(|| NotUnderstood(text.into_owned()))
    }
}

impl Data for Widget {
    type Error = io::Error;

    fn load(path: &Path) -> io::Result<Widget> {
        let text = fs::read_to_string(path)?;
        text.parse()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn save(&self, path: &Path, temp_file: Option<&Path>) -> io::Result<()> {
        // A plain write to `path` would do as well: nobody sees it before it is published.
        let first = temp_file.unwrap_or(path);
        fs::write(first, self.to_string())?;
        fs::rename(first, path)
    }
}

impl NameGenerator for SerialNumbers {
    fn next(&self, attempt: u32) -> OsString {
        format!("widget-{:05}", attempt + 1).into()
    }
}

fn serial_number(name: &OsStr) -> Option<u32> {
    name.to_str()?.strip_prefix("widget-")?.parse().ok()
}

impl fmt::Display for Widget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engraved = if self.is_engraved { "engraved " } else { "" };
        let kind = match self.kind {
            Kind::Sprocket => "sprocket",
            Kind::Cog => "cog",
        };
        write!(f, "{engraved}{kind}")
    }
}

impl FromStr for Widget {
    type Err = NotUnderstood;

    fn from_str(text: &str) -> Result<Widget, NotUnderstood> {
        let kind = match text.strip_prefix("engraved ").unwrap_or(text) {
            "sprocket" => Kind::Sprocket,
            "cog" => Kind::Cog,
            _ => return Err(NotUnderstood(text.to_owned())),
        };
        Ok(Widget {
            kind,
            is_engraved: text.starts_with("engraved "),
        })
    }
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is nothing that the workshop makes", self.0)
    }
}

impl std::error::Error for NotUnderstood {}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let done = match &arguments[..] {
        [] => in_temporary_spool(),
        [spool] => work(Path::new(spool)).map_err(Into::into),
        _ => {
            eprintln!("usage: widgets [SPOOL]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("widgets: {error}");
            ExitCode::FAILURE
        }
    }
}

fn in_temporary_spool() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    Ok(work(&dir.path().join("workshop"))?)
}

fn work(dir: &Path) -> multispool::Result<()> {
    let spool = Multispool::create(dir)?;
    order(&spool, "Ada", Kind::Sprocket)?;
    order(&spool, "Grace", Kind::Cog)?;
    order(&spool, "Ada", Kind::Cog)?;
    make(&spool)?;
    ship(&spool)?;
    look_after(&spool)?;
    collect(&spool)
}

/// The name comes first, since the order needs its number.
fn order(spool: &Multispool<Workshop>, customer: &str, kind: Kind) -> multispool::Result<()> {
    let name = UniqueName::reserve(spool, &SerialNumbers)?;
    let order = Order {
        serial_number: serial_number(name.as_os_str()).unwrap_or_default(),
        customer: customer.to_owned(),
    };
    let widget = Widget {
        kind,
        is_engraved: false,
    };
    let entry = spool.enqueue(Stage::Ordered, &order, &widget, Naming::Use(&name))?;
    println!("ordered {}: {widget} for {customer}", entry.name());
    Ok(())
}

/// Engraves whatever is ordered. A workshop that dies after the data's save leaves an engraved widget in its old
/// queue, and to engrave that one again does no harm.
fn make(spool: &Multispool<Workshop>) -> multispool::Result<()> {
    let mut reader = QueueReader::create(spool, Stage::Ordered)?;
    reader.iter_available(|order, data| {
        let made = Widget {
            is_engraved: true,
            ..data.load()?
        };
        data.save(&made)?;
        println!("made    number {}: {made}", order.serial_number);
        Ok::<_, Error>(Outcome::Save(order, Stage::Made))
    })
}

/// Takes them one by one, with the entry in hand, and writes the address so that the post can read it.
fn ship(spool: &Multispool<Workshop>) -> multispool::Result<()> {
    let mut reader = QueueReader::create(spool, Stage::Made)?;
    while let Some(mut entry) = expert::dequeue_available(&mut reader)? {
        entry.update(|order| Order {
            customer: order.customer.to_uppercase(),
            ..order.clone()
        })?;
        entry.save(Stage::Shipped)?;
        println!("shipped {} to {}", entry.name(), entry.contents().customer);
    }
    Ok(())
}

fn look_after(spool: &Multispool<Workshop>) -> multispool::Result<()> {
    let spec = Spec::create(spool.dir(), Limits::create());
    let problems = Monitor::<Workshop>::create(&spec)?.run_once()?;
    for problem in &problems {
        println!("{}: {problem}", problem.severity().as_str());
    }
    println!("{} problems", problems.len());
    Ok(())
}

/// The customers come for them. Another workshop's customers may be quicker.
fn collect(spool: &Multispool<Workshop>) -> multispool::Result<()> {
    for entry in spool.list(Stage::Shipped)? {
        let entry: Entry<Workshop> = entry?;
        let collected = entry
            .try_with_entry(|order, data| Ok::<_, Error>((Outcome::Remove, (order, data.load()?))));
        match collected {
            Ok(Some((order, widget))) => {
                println!(
                    "{} has number {}: {widget}",
                    order.customer, order.serial_number
                );
            }
            Ok(None) => {}
            // One bad entry stops nobody.
            Err(error) if error.kind() == ErrorKind::Corrupt => eprintln!("widgets: {error}"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
