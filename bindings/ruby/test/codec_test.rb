# frozen_string_literal: true

require_relative "spool_case"
require "yaml"

class CodecTest < SpoolCase
  # A user's own values, and the object that turns them into bytes.
  Widget = Struct.new(:color, :weight)

  module WidgetCodec
    def self.dump(widget)
      raise ArgumentError, "no widget: #{widget.inspect}" unless widget.is_a?(Widget)

      "#{widget.color} #{widget.weight}"
    end

    def self.load(bytes)
      color, weight = bytes.force_encoding("UTF-8").split
      Widget.new(color, Integer(weight))
    end
  end

  # Lists of numbers, one a line, which may be longer than memory.
  module LinesCodec
    def self.dump(numbers)
      numbers.join("\n")
    end

    def self.load(bytes)
      bytes.split("\n").map(&:to_i)
    end

    def self.write(numbers, io)
      numbers.each { |number| io << number.to_s << "\n" }
    end

    def self.read(io)
      io.each_line.map { |line| Integer(line) }
    end
  end

  def teardown
    @typed&.close
    super
  end

  def test_json_goes_in_and_comes_out_everywhere
    typed(metadata: :json, data: :json)
    entry = @typed.enqueue(:incoming, [1, nil, "ü"], metadata: { "to" => "you" })
    assert_equal '{"to":"you"}', File.read(File.join(dir, "incoming", entry.name))
    assert_equal '[1,null,"ü"]', File.read(File.join(dir, ".data", entry.name))
    assert_equal({ "to" => "you" }, entry.direct.contents)
    assert_equal [1, nil, "ü"], entry.direct.data_file.load
    entry.with_entry do |checkout|
      assert_equal "you", checkout.metadata["to"]
      checkout.update { |metadata| metadata.merge("seen" => 1) }
      checkout.data = { "new" => true }
      assert_equal({ "new" => true }, checkout.data)
      checkout.save(:done)
    end
    @typed.reader(:done) do |reader|
      assert_equal({ "to" => "you", "seen" => 1 }, reader.dequeue_available(&:metadata))
    end
  end

  def test_the_users_own_object_is_a_codec
    typed(metadata: WidgetCodec, data: YAML)
    entry = @typed.enqueue("incoming", { "a" => [1] }, metadata: Widget.new("red", 3))
    assert_equal "red 3", spool.entry("incoming", entry.name).direct.contents
    entry.with_entry do |checkout|
      assert_equal Widget.new("red", 3), checkout.metadata
      assert_equal({ "a" => [1] }, checkout.data)
      checkout.update { |widget| widget.dup.tap { |other| other.weight += 1 } }
      checkout.save("incoming")
    end
    entry.direct.save(Widget.new("blue", 5))
    assert_equal Widget.new("blue", 5), entry.direct.contents
  end

  def test_a_codec_of_streams_writes_and_reads_data_in_pieces
    typed(data: LinesCodec)
    entry = @typed.enqueue("incoming", 1..1000)
    assert_equal 1000, File.readlines(File.join(dir, ".data", entry.name)).size
    entry.checkout do |checkout|
      assert_equal (1..1000).to_a, checkout.data
      checkout.data = [7]
      assert_equal [7], checkout.data
      assert_equal "7\n", checkout.data_io(&:read)
    end
  end

  def test_text_is_utf8_whatever_it_was
    typed(metadata: :text)
    entry = @typed.enqueue("incoming", "x", metadata: "n\xE4h".dup.force_encoding("ISO-8859-1"))
    assert_equal "näh", entry.direct.contents
    assert_equal Encoding::UTF_8, entry.direct.contents.encoding
    assert_raises(Multispool::EncodeError) { @typed.enqueue("incoming", "x", metadata: "\xFF") }
    File.binwrite(File.join(dir, "incoming", entry.name), "\xFF")
    assert_raises(Multispool::DecodeError) { entry.direct.contents }
  end

  def test_what_cannot_be_encoded_changes_nothing
    typed(metadata: WidgetCodec, data: :json)
    before = files
    error = assert_raises(Multispool::EncodeError) { @typed.enqueue("incoming", [], metadata: "no widget") }
    assert_instance_of ArgumentError, error.cause
    assert_includes error.message, "no widget"
    assert_equal Multispool::Status::INVALID_ARGUMENT, error.status
    assert_raises(Multispool::EncodeError) { @typed.enqueue("incoming", Float::NAN, metadata: Widget.new("red", 1)) }
    assert_equal before, files
    entry = @typed.enqueue("incoming", [1], metadata: Widget.new("red", 1))
    entry.checkout do |checkout|
      assert_raises(Multispool::EncodeError) { checkout.update { nil } }
      assert_raises(Multispool::EncodeError) { checkout.data = Float::INFINITY }
      assert_equal [1], checkout.data
      checkout.save("done")
    end
    assert_equal Widget.new("red", 1), @typed.entry("done", entry.name).direct.contents
  end

  def test_a_codec_that_gives_no_string_is_told
    codec = Object.new
    def codec.dump(_value) = 42
    def codec.load(_bytes) = nil
    typed(metadata: codec)
    error = assert_raises(Multispool::EncodeError) { @typed.enqueue("incoming", "x", metadata: 1) }
    assert_includes error.message, "must be a String"
  end

  def test_a_stream_codec_that_fails_leaves_nothing_behind
    typed(data: LinesCodec)
    before = files
    assert_raises(ZeroDivisionError) { @typed.enqueue("incoming", (1..9).lazy.map { |n| 1 / (n - 5) }) }
    assert_equal before, files
  end

  def test_metadata_that_is_not_what_the_codec_writes_goes_back_and_stops_nobody
    typed(metadata: :json)
    bad = put("x", metadata: "{").name
    good = @typed.enqueue("incoming", "x", metadata: 1).name
    error = assert_raises(Multispool::DecodeError) { @typed.checkout("incoming", bad) }
    assert_kind_of Multispool::CorruptError, error
    assert_instance_of JSON::ParserError, error.cause
    assert_equal "incoming/#{bad}", error.path
    assert_raises(Multispool::DecodeError) { @typed.try_with_entry("incoming", bad) { flunk } }
    @typed.reader("incoming") do |reader|
      assert_raises(Multispool::DecodeError) { reader.dequeue_available { flunk } }
      assert_equal(good, reader.dequeue_available(&:name))
    end
    told = []
    seen = []
    @typed.reader("incoming") do |reader|
      reader.each_available(on_error: ->(problem) { told << problem.path }) { |checkout| seen << checkout.metadata }
    end
    assert_equal [["incoming/#{bad}"], [1]], [told, seen]
    assert_equal [bad, good].sort, names("incoming")
    assert_empty checked_out
  end

  def test_data_that_is_not_what_the_codec_writes_is_the_blocks_to_know
    typed(data: :json)
    name = put("{").name
    @typed.reader("incoming") do |reader|
      error = assert_raises(Multispool::DecodeError) { reader.each(on_error: ->(_) { flunk }, &:data) }
      assert_includes error.message, "the data of incoming/#{name}"
    end
    assert_equal [name], names("incoming")
    @typed.with_entry("incoming", name) { |checkout| assert_equal "{", checkout.data_io(&:read) }
  end

  def test_a_value_is_made_anew_at_each_call
    typed(metadata: :json)
    @typed.enqueue("incoming", "x", metadata: [1]).checkout do |checkout|
      checkout.metadata << 2
      assert_equal [1], checkout.metadata
    end
  end

  def test_metadata_with_a_codec_must_be_given
    typed(metadata: :json)
    error = assert_raises(ArgumentError) { @typed.enqueue("incoming", "x") }
    assert_equal "missing keyword: :metadata (this spool has a codec for it)", error.message
    assert_nil @typed.enqueue("incoming", "x", metadata: nil).direct.contents
  end

  def test_a_strike_from_outside_is_not_taken_for_the_codecs
    begun = Queue.new
    codec = Object.new
    codec.define_singleton_method(:dump) { |value| value }
    codec.define_singleton_method(:load) { |bytes| (begun << true) && Thread.pass && bytes }
    typed(metadata: codec)
    entry = @typed.enqueue("incoming", "x", metadata: "m")
    reading = Thread.new { loop { entry.direct.contents } }
    reading.report_on_exception = false
    begun.pop
    reading.raise(KeyError, "from outside")
    assert_equal "from outside", assert_raises(KeyError) { reading.value }.message
  end

  def test_listed_checkouts_are_decoded_too
    typed(metadata: :json)
    @typed.enqueue("incoming", "x", metadata: 42).checkout do
      assert_equal([42], @typed.checkouts_unsafe("incoming").map(&:metadata))
    end
  end

  def test_what_is_no_codec_is_refused_with_words
    error = assert_raises(Multispool::InvalidArgumentError) { Multispool::Spoolable.new(metadata: :xml) }
    assert_equal ":xml is no codec: it is one of :bytes, :text, :json, or an object with dump and load", error.message
  end

  private

  def typed(**codecs)
    @typed = Multispool::Spoolable.new(QUEUES, **codecs).load(dir, durability: :none)
  end
end
