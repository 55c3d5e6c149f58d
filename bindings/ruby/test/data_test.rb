# frozen_string_literal: true

require_relative "spool_case"

class DataTest < SpoolCase
  def setup
    super
    @checkout = put("old data").checkout
  end

  def teardown
    @checkout.close
    super
  end

  def test_data_is_replaced_by_a_string_a_file_or_a_stream
    @checkout.data = "new\0\xFF".b
    assert_equal "new\0\xFF".b, @checkout.data
    file = File.join(work, "file")
    File.binwrite(file, "from a file")
    @checkout.data = Pathname.new(file)
    assert_equal "from a file", @checkout.data
    @checkout.data = StringIO.new("x" * 600_000)
    assert_equal 600_000, @checkout.data.bytesize
    assert_raises(TypeError) { @checkout.data = 42 }
  end

  def test_data_is_saved_with_its_entry
    @checkout.data = "new"
    @checkout.save("done")
    assert_equal "new", spool.list("done").first.direct.data_file.load
  end

  def test_data_is_read_as_a_file_in_binary
    io = @checkout.data_io
    assert_kind_of File, io
    assert_equal "old data", io.read
    assert_equal Encoding::BINARY, io.external_encoding
    io.close
    seen = nil
    value = @checkout.data_io do |file|
      seen = file
      file.read(3)
    end
    assert_equal "old", value
    assert_predicate seen, :closed?
  end

  def test_the_path_is_where_the_data_is
    assert_equal "old data", File.binread(@checkout.data_path)
    assert_equal File.join(dir, ".data", @checkout.name), @checkout.data_path
  end

  def test_stat_tells_the_size
    assert_equal 8, @checkout.data_file.stat.size
    assert_operator @checkout.data_file.stat.mtime, :>, Time.now - 60
  end

  def test_a_writer_commits_at_the_end_of_its_block
    value = @checkout.write_data do |writer|
      assert_equal 6, writer.write("one ", "ab")
      writer << "two" << "\0"
      assert_equal "old data", @checkout.data
      :value
    end
    assert_equal :value, value
    assert_equal "one abtwo\0", @checkout.data
  end

  def test_a_writer_whose_block_fails_or_breaks_is_thrown_away
    assert_raises(RuntimeError) do
      @checkout.write_data do |writer|
        writer << "half"
        raise "x"
      end
    end
    @checkout.write_data do |writer|
      writer << "half"
      break
    end
    assert_equal "old data", @checkout.data
    assert_empty Dir.children(File.join(dir, ".tmp"))
  end

  def test_a_writer_without_a_block_is_published_by_commit_alone
    writer = @checkout.write_data
    writer << "new"
    writer.close
    assert_nil writer.close
    assert_equal "old data", @checkout.data
    assert_raises(Multispool::ClosedError) { writer << "more" }

    writer = @checkout.write_data
    writer << "new"
    refute_predicate writer, :finished?
    assert_nil writer.commit
    assert_predicate writer, :finished?
    assert_raises(Multispool::FinishedError) { writer.commit }
    writer.close
    assert_equal "new", @checkout.data
  end

  def test_a_stream_is_copied_to_a_writer
    @checkout.write_data { |writer| IO.copy_stream(StringIO.new("copied"), writer) }
    assert_equal "copied", @checkout.data
  end

  def test_data_that_is_gone_is_told
    file = @checkout.data_file
    File.delete(file.path)
    assert_raises(Multispool::Error) { file.load }
    assert_raises(Multispool::Error) { file.stat }
    assert_raises(Multispool::Error) { file.open }
  end

  def test_a_closed_data_file_is_refused
    file = @checkout.data_file
    file.close
    assert_raises(Multispool::ClosedError) { file.load }
    assert_nil file.close
  end
end
