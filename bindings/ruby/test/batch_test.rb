# frozen_string_literal: true

require_relative "spool_case"

class BatchTest < SpoolCase
  def test_many_entries_are_put_into_the_queue_together
    file = File.join(work, "file")
    File.write(file, "from a file")
    entries = spool.enqueue_many(:incoming) do |batch|
      assert_same batch, batch.add("one", metadata: "m\0")
      batch << Pathname(file) << StringIO.new("from a stream") << ""
      assert_equal 4, batch.size
      assert_empty names("incoming")
    end
    assert_equal entries.map(&:name), names("incoming")
    assert_equal ["one", "from a file", "from a stream", ""], (entries.map { |entry| entry.direct.data_file.load })
    assert_equal ["m\0", "", "", ""], (entries.map { |entry| entry.direct.contents })
    assert_equal "incoming", entries.first.queue
  end

  def test_an_empty_batch_does_nothing
    assert_empty spool.enqueue_many("incoming") { nil }
    assert_equal [".multispool/format"], files
  end

  def test_more_entries_than_fit_into_one_piece
    entries = spool.enqueue_many("incoming", durability: :none) { |batch| 600.times { |number| batch << number.to_s } }
    assert_equal 600, entries.size
    assert_equal "599", entries.last.direct.data_file.load
  end

  def test_what_the_block_leaves_by_an_exception_or_a_break_is_undone
    assert_raises(KeyError) do
      spool.enqueue_many("incoming") do |batch|
        batch << "x"
        raise KeyError
      end
    end
    spool.enqueue_many("incoming") do |batch|
      batch << "x"
      break
    end
    assert_equal [".multispool/format"], files
  end

  def test_an_entry_that_cannot_be_added_keeps_no_other_back
    entries = spool.enqueue_many("incoming") do |batch|
      batch << "one"
      error = assert_raises(Multispool::MissingError) { batch << Pathname("/nowhere/file") }
      assert_equal "/nowhere/file", error.path
      assert_raises(TypeError) { batch << 42 }
      batch << "two"
    end
    assert_equal %w[one two], (entries.map { |entry| entry.direct.data_file.load })
  end

  def test_a_failure_of_the_commit_tells_what_failed_and_what_did_not
    error = assert_raises(Multispool::Error) do
      spool.enqueue_many("incoming") do |batch|
        3.times { batch << "x" }
        FileUtils.rm_rf(File.join(dir, "incoming"))
      end
    end
    assert_empty error.enqueued
    assert_equal 3, error.failures.size
    assert_equal error.class, error.failures.first.class
  end

  def test_codecs_are_for_batches_too
    Multispool::Spoolable.new(QUEUES, metadata: :json, data: :json).load(dir) do |typed|
      entries = typed.enqueue_many("incoming") do |batch|
        assert_raises(ArgumentError) { batch << [1] }
        assert_raises(Multispool::EncodeError) { batch.add(Float::NAN, metadata: 1) }
        batch.add([1], metadata: { "a" => 1 })
      end
      assert_equal([[{ "a" => 1 }, [1]]], entries.map { |entry| entry.checkout { |it| [it.metadata, it.data] } })
    end
  end

  def test_what_cannot_be_is_refused
    assert_raises(Multispool::UnknownQueueError) { spool.enqueue_many("nope") { flunk } }
    assert_raises(ArgumentError) { spool.enqueue_many("incoming") }
    Multispool::Spoolable.new(QUEUES, names: ->(_) { "x" }).load(dir) do |named|
      assert_raises(Multispool::UnsupportedError) { named.enqueue_many("incoming") { flunk } }
    end
    kept = nil
    spool.enqueue_many("incoming") { |batch| kept = batch }
    assert_raises(Multispool::ClosedError) { kept << "x" }
  end

  def test_a_batch_of_the_parent_is_refused_in_a_forked_child
    spool.enqueue_many("incoming") do |batch|
      batch << "x"
      assert_raises(Multispool::ForkedError) { in_child { batch << "y" } }
    end
    assert_equal 1, names("incoming").size
  end

  def test_a_file_that_is_read_as_text_gives_its_bytes
    path = File.join(work, "latin")
    File.binwrite(path, "\xE9\r\n".b)
    File.open(path, "r:iso-8859-1:utf-8", universal_newline: true) do |file|
      entry, = spool.enqueue_many("incoming") { |batch| batch << file }
      assert_equal "\xE9\r\n".b, entry.direct.data_file.load
    end
  end
end
