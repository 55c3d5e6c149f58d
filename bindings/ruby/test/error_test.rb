# frozen_string_literal: true

require_relative "spool_case"

class ErrorTest < SpoolCase
  def test_every_failure_has_a_class_whose_name_says_error
    statuses = Multispool::Status.constants.map { |name| Multispool::Status.const_get(name) }
    (statuses - [0, 1, 2, 3, 4]).each do |status|
      error = Multispool::Error.build(status, "x")
      refute_instance_of Multispool::Error, error
      assert_kind_of Multispool::Error, error
      assert_match(/Error\z/, error.class.name)
      assert_equal status, error.status
    end
  end

  def test_a_status_that_is_not_known_is_still_an_error_of_ours
    assert_instance_of Multispool::Error, Multispool::Error.build(-50, "x")
  end

  def test_the_statuses_are_those_of_the_library
    Multispool::Status.constants.each do |name|
      number = Multispool::Status.const_get(name)
      assert_equal name.to_s, Multispool::Bytes.text(Multispool::Native.status_name(number))
    end
  end

  def test_an_error_says_operation_path_and_number
    missing = File.join(work, "missing")
    error = assert_raises(Multispool::Error) { Multispool.load(missing, "incoming") }
    assert_equal Errno::ENOENT::Errno, error.errno
    assert_equal missing, error.path
    assert_equal "load", error.operation
    assert_empty error.recovered
  end

  def test_an_error_raised_by_hand_has_the_status_of_its_class
    assert_equal Multispool::Status::CORRUPT, Multispool::CorruptError.new("x").status
    assert_nil Multispool::CorruptError.new("x").errno
  end

  # What failed, where, why: whoever reads it in a log needs nothing else.
  def test_messages_are_sentences_that_say_what_failed_and_where
    checkout = put.checkout
    checkout.close
    { "reserve" => -> { Array.new(2) { spool.reserve("mine") } }, "nope" => -> { spool.enqueue("nope", "x") },
      "ghost" => -> { spool.checkout("incoming", "ghost") }, "nowhere" => -> { Multispool.load("/nowhere", "x") },
      "a/b" => -> { spool.entry("incoming", "a/b") }, "closed" => -> { checkout.metadata },
      "not reserved" => -> { put(name: "never") }, "option" => -> { put(durability: :some) },
      "stat" => -> { spool.entry("incoming", "ghost").stat } }.each do |word, failing|
      error = assert_raises(Multispool::Error, word, &failing)
      assert_match(/\A\S+.* .*[:;] \S.*\S\z/, error.message)
      assert_includes error.message, word
    end
  end

  def test_a_full_disk_is_told_and_leaves_nothing_behind
    before = files
    error = in_child do
      Process.setrlimit(Process::RLIMIT_FSIZE, 1000)
      trap("XFSZ", "IGNORE")
      put("x" * 100_000)
    rescue Multispool::Error => e
      [e.class.name, e.errno]
    end
    assert_equal Errno::EFBIG::Errno, error.last
    assert_equal before, files
  end
end
