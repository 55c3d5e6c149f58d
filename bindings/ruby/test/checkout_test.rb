# frozen_string_literal: true

require_relative "spool_case"

class CheckoutTest < SpoolCase
  def setup
    super
    @entry = put("data", metadata: "old")
    @name = @entry.name
  end

  def test_a_checkout_moves_the_entry_out_of_sight
    @entry.checkout do |checkout|
      assert_empty names("incoming")
      assert_equal [@name], checked_out
      assert_equal [@name, "incoming", "old", "data"],
                   [checkout.name, checkout.queue, checkout.metadata, checkout.data]
      assert_same spool, checkout.spool
      assert_nil @entry.try_checkout
    end
    assert_equal [@name], names("incoming")
  end

  def test_save_puts_the_entry_into_any_queue_with_its_new_metadata
    @entry.with_entry do |checkout|
      checkout.update { |metadata| "#{metadata} and new" }
      assert_equal "old and new", checkout.metadata
      checkout.save(:done)
    end
    assert_equal [@name], names("done")
    assert_equal "old and new", spool.entry("done", @name).direct.contents
    assert_empty checked_out
  end

  def test_metadata_is_set_as_it_is_given
    bytes = "\xFF\0x".b
    @entry.with_entry do |checkout|
      checkout.metadata = bytes
      checkout.save("incoming", durability: :none)
    end
    assert_equal bytes, @entry.direct.contents
  end

  def test_update_returns_the_checkout_and_refuses_what_is_no_string
    @entry.with_entry do |checkout|
      assert_same(checkout, checkout.update { |metadata| metadata })
      assert_raises(TypeError) { checkout.update { nil } }
    end
  end

  def test_remove_deletes_the_entry_whole
    @entry.with_entry { |checkout| checkout.remove(durability: :original) }
    assert_equal [".multispool/format"], files
  end

  def test_release_drops_the_update
    @entry.with_entry do |checkout|
      checkout.metadata = "new"
      checkout.release
    end
    assert_equal "old", @entry.direct.contents
  end

  def test_a_finished_checkout_is_used_up
    %i[save remove release].each do |ending|
      checkout = put.checkout
      refute_predicate checkout, :finished?
      ending == :save ? checkout.save("done") : checkout.public_send(ending)
      assert_predicate checkout, :finished?
      assert_raises(Multispool::FinishedError) { checkout.save("done") }
      assert_raises(Multispool::FinishedError) { checkout.remove }
      assert_raises(Multispool::FinishedError) { checkout.release }
      assert_raises(Multispool::FinishedError) { checkout.metadata = "x" }
      assert_nil checkout.close
    end
  end

  def test_close_releases_and_closing_again_does_nothing
    checkout = @entry.checkout
    refute_predicate checkout, :closed?
    assert_nil checkout.close
    assert_nil checkout.close
    assert_equal [@name], names("incoming")
    assert_predicate checkout, :closed?
    assert_predicate checkout, :finished?
    assert_equal @name, checkout.name
  end

  def test_a_closed_checkout_refuses_everything_with_a_closed_error
    checkout = @entry.checkout
    file = checkout.data_file
    checkout.close
    [-> { checkout.metadata }, -> { checkout.metadata = "x" }, -> { checkout.update { "x" } }, -> { checkout.data },
     -> { checkout.save("done") }, -> { checkout.remove }, -> { checkout.release }, -> { checkout.data_io },
     -> { checkout.data = "x" }, -> { checkout.write_data }, -> { file.load }].each do |use|
      assert_raises(Multispool::ClosedError, &use)
    end
  end

  def test_the_block_form_returns_the_value_of_the_block
    assert_equal(:value, @entry.checkout { :value })
    assert_equal(:value, @entry.try_checkout { :value })
    assert_equal(:value, @entry.with_entry { next :value })
    assert_equal(:value, @entry.try_with_entry { break :value })
    assert_equal [@name], names("incoming")
  end

  def test_next_break_throw_return_and_exceptions_release
    @entry.with_entry { next }
    assert_empty checked_out
    @entry.with_entry { break }
    assert_empty checked_out
    catch(:out) { @entry.with_entry { throw :out } }
    assert_empty checked_out
    leave(@entry)
    assert_empty checked_out
    [RuntimeError, Exception, NotImplementedError].each do |kind|
      assert_raises(kind) { @entry.with_entry { raise kind, "x" } }
      assert_equal [@name], names("incoming")
    end
  end

  def test_the_failure_of_the_block_is_not_hidden_by_that_of_the_release
    error = assert_raises(KeyError) do
      @entry.with_entry do
        File.delete(File.join(dir, "incoming", ".checkout", @name))
        raise KeyError, "mine"
      end
    end
    assert_equal "mine", error.message
  end

  def test_an_entry_lost_meanwhile_is_told_and_not_brought_back_to_life
    checkout = @entry.checkout
    checkout.metadata = "new"
    File.delete(File.join(dir, "incoming", ".checkout", @name))
    error = assert_raises(Multispool::LostOwnershipError) { checkout.save("done") }
    assert_equal Multispool::Status::LOST_OWNERSHIP, error.status
    assert_empty names("done")
  end

  def test_save_to_an_unknown_queue_leaves_the_checkout_in_hand
    @entry.with_entry do |checkout|
      assert_raises(Multispool::UnknownQueueError) { checkout.save("nope") }
      assert_raises(Multispool::InvalidNameError) { checkout.save("nul\0") }
      checkout.save("done")
    end
    assert_equal [@name], names("done")
  end

  def test_an_entry_without_data_is_corrupt_and_stays_in_its_queue
    File.delete(File.join(dir, ".data", @name))
    error = assert_raises(Multispool::CorruptError) { @entry.checkout }
    assert_includes error.path, @name
    assert_equal [@name], names("incoming")
  end

  def test_the_durability_of_a_checkout_is_accepted
    @entry.checkout(durability: :none) { |checkout| checkout.save("done") }
    spool.with_entry("done", @name, durability: :original, &:remove)
    assert_equal [".multispool/format"], files
  end

  def test_threads_that_share_a_checkout_take_turns
    @entry.with_entry do |checkout|
      Array.new(4) do |number|
        Thread.new { 50.times { checkout.update { |_| "thread #{number}" } && checkout.metadata } }
      end.each(&:join)
      assert_match(/\Athread \d\z/, checkout.metadata)
    end
  end

  private

  def leave(entry)
    entry.with_entry { return nil }
  end
end
