# frozen_string_literal: true

require_relative "spool_case"

class EnqueueTest < SpoolCase
  ODD = [
    "", "x", "with\0nul", "\xFF\xFE invalid".b, "ünïcode", "x" * 10_000_000, (0..255).map(&:chr).join.b
  ].freeze

  def test_any_bytes_come_back_as_they_were_given
    ODD.each do |bytes|
      entry = spool.enqueue("incoming", bytes, metadata: bytes, durability: :none)
      assert_equal bytes.b, entry.direct.contents
      entry.with_entry do |checkout|
        assert_equal bytes.b, checkout.metadata
        assert_equal bytes.b, checkout.data
        assert_equal Encoding::BINARY, checkout.data.encoding
        assert_equal Encoding::BINARY, checkout.metadata.encoding
        checkout.remove
      end
    end
  end

  def test_enqueue_returns_the_entry
    entry = spool.enqueue(:incoming, "data", metadata: "m")
    assert_equal "incoming", entry.queue
    assert_same spool, entry.spool
    assert_equal [entry.name], names("incoming")
    assert_equal [".data/#{entry.name}", ".multispool/format", ".registry/#{entry.name}", "incoming/#{entry.name}"],
                 files
  end

  def test_metadata_is_empty_unless_it_is_given
    assert_equal "", spool.enqueue("incoming", "data").direct.contents
  end

  def test_made_names_come_in_the_order_of_time
    made = Array.new(20) { put.name }
    assert_equal made.sort, made
    assert_equal made, names("incoming")
  end

  def test_a_pathname_is_a_file_to_be_copied
    file = Pathname.new(work).join("file")
    file.binwrite("\xFFcontents\0".b)
    entry = put(file)
    assert_equal "\xFFcontents\0".b, entry.direct.data_file.load
  end

  def test_a_pathname_that_is_not_there_leaves_nothing_behind
    before = files
    error = assert_raises(Multispool::Error) { put(Pathname.new(work).join("missing")) }
    assert_includes error.message, "missing"
    assert_equal before, files
  end

  def test_an_io_is_read_to_its_end
    file = File.join(work, "file")
    bytes = Random.bytes(1_000_000)
    File.binwrite(file, bytes)
    File.open(file, "rb") { |io| assert_equal bytes, put(io).direct.data_file.load }
    assert_equal "from memory", put(StringIO.new("from memory")).direct.data_file.load
    assert_equal "", put(StringIO.new("")).direct.data_file.load
  end

  def test_a_pipe_is_read_to_its_end
    reader, writer = IO.pipe
    feeder = Thread.new do
      writer << ("x" * 300_000)
      writer.close
    end
    assert_equal 300_000, put(reader).direct.data_file.load.bytesize
    feeder.join
  end

  def test_a_stream_that_fails_leaves_nothing_behind
    before = files
    broken = Object.new
    def broken.read(_length)
      @read ? raise("broken pipe") : (@read = "some")
    end
    assert_raises(RuntimeError) { put(broken) }
    assert_equal before, files
  end

  def test_a_timeout_while_a_stream_is_read_leaves_nothing_behind
    before = files
    reader, = IO.pipe
    assert_raises(Timeout::Error) { Timeout.timeout(0.05) { put(reader) } }
    assert_equal before, files
  end

  def test_what_is_no_data_is_a_type_error
    [nil, 42, :symbol, []].each { |data| assert_raises(TypeError) { put(data) } }
    assert_raises(TypeError) { put("data", metadata: nil) }
    assert_equal [".multispool/format"], files
  end

  def test_an_unknown_queue_is_refused_and_not_made
    error = assert_raises(Multispool::UnknownQueueError) { spool.enqueue("nope", "x") }
    assert_includes error.message, "nope"
    assert_raises(Multispool::UnknownQueueError) { spool.enqueue("nope", StringIO.new("x")) }
    refute_path_exists File.join(dir, "nope")
  end

  def test_a_reserved_name_is_used
    name = spool.reserve("mine")
    assert_equal "mine", put("x", name:).name
    assert_equal %w[mine], names("incoming")
  end

  def test_a_name_that_was_never_reserved_is_not_found
    [-> { put("x", name: "free") }, -> { put(StringIO.new("x"), name: "free") }].each do |enqueue|
      error = assert_raises(Multispool::NotFoundError, &enqueue)
      assert_equal Multispool::Status::NOT_FOUND, error.status
      assert_includes error.message, "free"
    end
    assert_equal [".multispool/format"], files
  end

  def test_a_name_in_use_is_taken_and_its_entry_left_alone
    put("first", name: spool.reserve("mine"))
    error = assert_raises(Multispool::NameTakenError) { put("second", name: "mine") }
    assert_includes error.message, "mine"
    assert_raises(Multispool::NameTakenError) { put(StringIO.new("second"), name: "mine") }
    assert_equal "first", spool.entry("incoming", "mine").direct.data_file.load
  end

  def test_bad_names_are_refused_before_the_disk_is_touched
    ["", ".", "..", "a/b", ".hidden", "x" * 245, "nul\0"].each do |name|
      assert_raises(Multispool::InvalidNameError, name.inspect) { put("x", name:) }
      assert_raises(Multispool::InvalidNameError, name.inspect) { spool.reserve(name) }
    end
    assert_equal [".multispool/format"], files
  end

  # What another program made may have a longer name than ours.
  def test_bad_names_are_refused_for_entries_too
    ["", ".", "..", "a/b", ".hidden", "x" * 256, "nul\0"].each do |name|
      assert_raises(Multispool::InvalidNameError, name.inspect) { spool.entry("incoming", name) }
    end
  end

  def test_names_survive_the_round_trip_in_any_encoding
    utf8 = "naïve ☃"
    latin1 = "na\xEFve".b
    longest = "x" * 244
    [utf8, latin1, longest].each { |name| put("x", name: spool.reserve(name)) }
    assert_equal [latin1, utf8, longest].sort_by(&:b), names("incoming").sort_by(&:b)
    assert_equal Encoding::UTF_8, names("incoming").find { |name| name == utf8 }.encoding
    assert_equal Encoding::BINARY, names("incoming").find { |name| name.bytesize == 5 }.encoding
    assert_equal "x", spool.entry("incoming", latin1).direct.data_file.load
  end

  def test_each_durability_is_accepted_for_a_call
    %i[none original full].each { |durability| spool.enqueue("incoming", "x", durability:) }
    assert_raises(Multispool::InvalidArgumentError) { spool.enqueue("incoming", "x", durability: :some) }
    assert_equal 3, names("incoming").size
  end

  def test_the_data_may_change_after_the_call
    data = +"before"
    entry = put(data)
    data.replace("after!")
    assert_equal "before", entry.direct.data_file.load
  end

  def test_threads_enqueue_at_once
    made = Array.new(8) { Thread.new { Array.new(50) { put.name } } }.flat_map(&:value)
    assert_equal 400, made.uniq.size
    assert_equal made.sort, names("incoming")
  end
end
