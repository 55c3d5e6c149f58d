# frozen_string_literal: true

require_relative "spool_case"

class ListTest < SpoolCase
  def test_a_listing_is_sorted_by_bytes_and_leaves_dot_names_out
    %w[b a ä Z].each { |name| put("x", name: spool.reserve(name)) }
    assert_equal %w[Z a b ä], names("incoming")
  end

  def test_a_listing_is_enumerable_and_lazy
    5.times { put }
    listing = spool.list("incoming")
    assert_instance_of Multispool::Entry, listing.first
    assert_equal 2, listing.lazy.map(&:name).first(2).size
    assert_equal 5, listing.count
    assert_equal listing.map(&:name), listing.each.map(&:name)
    external = listing.each
    assert_equal listing.first.name, external.next.name
  end

  def test_each_pass_reads_the_directory_anew
    listing = spool.list("incoming")
    assert_equal 0, listing.count
    put
    assert_equal 1, listing.count
  end

  def test_entries_may_be_removed_while_they_are_walked
    20.times { put }
    spool.list("incoming").each { |entry| entry.with_entry { |checkout| checkout.remove(durability: :none) } }
    assert_empty names("incoming")
    assert_equal [".multispool/format"], files
  end

  def test_an_unknown_queue_is_found_out_when_it_is_walked
    assert_raises(Multispool::UnknownQueueError) { spool.list("nope").to_a }
    assert_raises(Multispool::UnknownQueueError) { spool.checkouts_unsafe("nope").to_a }
  end

  def test_checkouts_are_listed_and_may_be_finished_by_who_knows_better
    entry = put("data", metadata: "m")
    checkout = entry.checkout
    listed = spool.checkouts_unsafe("incoming").to_a
    assert_equal [entry.name], listed.map(&:name)
    assert_equal "m", listed.first.metadata
    listed.first.save("done")
    assert_equal [entry.name], names("done")
    assert_raises(Multispool::LostOwnershipError) { checkout.save("done") }
  ensure
    assert_raises(Multispool::LostOwnershipError) { checkout.close }
  end

  def test_closing_a_listed_checkout_does_not_touch_what_another_owns
    put.checkout do |owned|
      spool.checkouts_unsafe("incoming").each(&:close)
      assert_equal [owned.name], checked_out
    end
  end
end
