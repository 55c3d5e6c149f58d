# frozen_string_literal: true

require_relative "spool_case"

class RecoverStatsTest < SpoolCase
  def test_recover_puts_back_what_a_dropped_checkout_left
    entry = put
    drop(entry)
    GC.start
    eventually("the collector took the checkout") do
      GC.start
      spool.recover.map(&:name) == [entry.name] || names("incoming") == [entry.name]
    end
    assert_equal [entry.name], names("incoming")
  end

  def test_recover_leaves_a_living_owner_alone
    put.checkout do |checkout|
      assert_empty spool.recover(min_age: 0)
      assert_equal [checkout.name], checked_out
    end
  end

  def test_recover_obeys_the_age_it_is_given
    entry = put
    abandon(entry)
    assert_empty spool.recover(min_age: 3600)
    assert_equal [entry], spool.recover(min_age: 0, durability: :none)
  end

  def test_stats_count_what_the_spool_holds
    put("12345", metadata: "abc")
    put("x", metadata: "")
    abandon(put)
    put.checkout do
      stats = spool.stats(bytes: true)
      incoming = stats.queues.find { |queue| queue.queue == "incoming" }
      assert_equal [2, 1, 1], [incoming.entries, incoming.checked_out_alive, incoming.checked_out_dead]
      assert_operator incoming.metadata_bytes, :>=, 3
      assert_operator incoming.data_bytes, :>=, 6
      assert_operator incoming.oldest_age, :>=, 0
      assert_operator stats.free_bytes, :>, 0
    end
  end

  def test_stats_leave_out_what_was_not_asked_for
    stats = spool.stats
    assert_equal %w[done incoming], stats.queues.map(&:queue).sort
    stats.queues.each do |queue|
      assert_equal 0, queue.entries
      assert_nil queue.oldest_age
      assert_nil queue.metadata_bytes
      assert_nil queue.data_bytes
    end
  end

  private

  # In a frame of its own, so that no reference is left on the stack.
  def drop(entry)
    entry.checkout
    nil
  end

  # Leaves the entry as a dead owner does.
  def abandon(entry)
    in_child { entry.checkout && nil }
  end
end
