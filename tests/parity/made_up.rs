//! Sources of a project that is nowhere.

use crate::files::Files;

pub const RUST: &str = "\
#[derive(Clone, Debug)]
pub struct Spool {
    pub dir: PathBuf,
    limits: Limits,
}

impl Spool {
    pub fn load(dir: &Path) -> Result<Spool> {
        // pub fn discover: not here
        todo!()
    }

    fn hidden(&self) {}
}

impl<T> Ord for Spool {
    fn cmp(&self, other: &Spool) -> Ordering {
        todo!()
    }
}

impl From<Names> for Spool {
    fn from(names: Names) -> Spool {
        todo!()
    }
}

pub trait Opens {
    type Of: Mode;
}

pub enum Mode {
    Local(u8),
    Network,
}

macro_rules! queues {
";

pub const RUST_TESTS: &str = "\
#[test]
fn it_loads() {
    helper();
}

fn helper() {
";

pub const RUBY: &str = "\
module Multispool
  class << self
    def load(dir, mode: nil,
             owners: nil)
    end
  end

  class Spool
    # def list
    NONE = new
    attr_reader :dir

    def initialize(dir, names: nil)
    end

    def closed?
    end

    def self.take(pointer)
    end

    private

    def own
    end
  end

  Event = Struct.new(:kind,
                     :time) do
    def to_s
      :start
    end
  end
end
";

pub const GO: &str = "\
package multispool

// Close is not here.
type Spool struct {
\tDir string
}

const (
\tModeLocal Mode = 0
)

func Load(dir string) *Spool {
}

func (s *Spool) List() {
}

func (s *Spool) close() {
}

func (t *Typed[M, D]) Reader() {
}
";

pub const MANUAL: &str = "\
## Everywhere

- `--json`: one object a line.

## list

    multispool list SPOOL [--checkouts]

```json list
{\"name\": \"a\"}
```

## show

    multispool show SPOOL
";

pub const COMMAND: &str = "\
#[derive(Args)]
pub struct List {
    #[arg(long)]
    checkouts: bool,
    #[arg(long)]
    pub json: bool,
    hidden: bool,
}
";

pub fn rust_sources() -> Files {
    let typed = "impl Entry {\n    pub fn create() {}\n}\n";
    Files::made_up(&[
        ("spool.rs", RUST),
        (
            "entry.rs",
            "pub struct Entry;\nimpl Entry {\n    pub fn old() {}\n}\n",
        ),
        ("spoolable/entry.rs", typed),
        ("spoolable/expert.rs", "pub fn checkout() {}\n"),
    ])
}

pub fn commands() -> Files {
    Files::made_up(&[
        ("list.rs", COMMAND),
        ("show.rs", ""),
        ("docs/cli.md", MANUAL),
    ])
}
