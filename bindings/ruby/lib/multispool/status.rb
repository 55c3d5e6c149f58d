# frozen_string_literal: true

module Multispool
  # The library's status numbers: 0 is success, positive ones are expected outcomes, negative ones are failures.
  # They are never reused for another meaning.
  module Status
    # Done.
    OK = 0
    # Nothing is there, or nothing more.
    EMPTY = 1
    # A stop ended the wait.
    STOPPED = 2
    # The wait's time was over.
    TIMED_OUT = 3
    # A signal ended the wait: call again.
    INTERRUPTED = 4
    # {NotFoundError}
    NOT_FOUND = 5
    # {NameTakenError}
    NAME_TAKEN = 6
    # {IOError}
    IO = -1
    # {InvalidArgumentError}
    INVALID_ARGUMENT = -2
    # {InvalidNameError}
    INVALID_NAME = -3
    # {NotASpoolError}
    NOT_A_SPOOL = -4
    # {NotEmptyError}
    NOT_EMPTY = -5
    # {UnknownQueueError}
    UNKNOWN_QUEUE = -6
    # {CorruptError}
    CORRUPT = -7
    # {FinishedError} and {ClosedError}
    FINISHED = -8
    # {ForkedError}
    FORKED = -9
    # {UnsupportedError}
    UNSUPPORTED = -10
    # {NoSpaceError}
    NO_SPACE = -11
    # {PermissionError}
    PERMISSION = -12
    # {MissingError}
    MISSING = -13
    # {LostOwnershipError}
    LOST_OWNERSHIP = -14
    # {NotDurableError}
    NOT_DURABLE = -15
    # {DescriptorsError}
    DESCRIPTORS = -16
    # {NamesExhaustedError}
    NAMES_EXHAUSTED = -17
    # {PanicError}
    PANIC = -99
  end
end
