//! Queues without more to them than their directories.

/// Makes an enum of queues, each with its directory, that implements [`Queue`](crate::spoolable::Queue).
///
/// ```
/// use multispool::spoolable::Queue;
///
/// multispool::queues! {
///     /// Where a letter is on its way.
///     pub enum Letters {
///         /// Not looked at yet.
///         Incoming => "incoming",
///         Delivered => "delivered",
///     }
/// }
/// assert_eq!(Letters::ALL, [Letters::Incoming, Letters::Delivered]);
/// assert_eq!(Letters::Incoming.to_dirname(), "incoming");
/// assert!(Letters::Incoming < Letters::Delivered);
/// ```
#[macro_export]
macro_rules! queues {
    (
        $(#[$about:meta])*
        $visibility:vis enum $queues:ident {
            $($(#[$about_queue:meta])* $queue:ident => $dirname:literal),+ $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $queues {
            $($(#[$about_queue])* $queue),+
        }

        impl $crate::spoolable::Queue for $queues {
            const ALL: &'static [$queues] = &[$($queues::$queue),+];

            fn to_dirname(&self) -> &str {
                match self {
                    $($queues::$queue => $dirname),+
                }
            }
        }
    };
}
