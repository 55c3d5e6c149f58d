# frozen_string_literal: true

require_relative "spool_case"

class EntryTest < SpoolCase
  def test_an_entry_made_from_a_name_touches_nothing
    entry = spool.entry(:incoming, "ghost")
    assert_equal "ghost", entry.name
    assert_equal "incoming", entry.queue
    assert_same spool, entry.spool
    assert_raises(Multispool::UnknownQueueError) { spool.entry("nope", "ghost") }
  end

  def test_stat_tells_when_the_entry_last_moved
    before = Time.now - 2
    stat = put("x" * 100).stat
    assert_operator stat.mtime, :>, before
    assert_operator stat.ctime, :>, before
    assert_equal 0, stat.size
  end

  def test_an_entry_that_is_gone_is_not_found
    entry = put
    entry.direct.remove
    error = assert_raises(Multispool::NotFoundError) { entry.stat }
    assert_includes error.message, entry.name
    assert_raises(Multispool::NotFoundError) { entry.direct.contents }
    assert_raises(Multispool::NotFoundError) { entry.direct.remove }
  end

  def test_checkout_of_an_entry_that_is_gone_is_an_error
    entry = spool.entry("incoming", "ghost")
    error = assert_raises(Multispool::MissingError) { entry.checkout }
    assert_includes error.message, "ghost"
    assert_raises(Multispool::MissingError) { entry.with_entry { flunk } }
    assert_raises(Multispool::MissingError) { spool.checkout("incoming", "ghost") }
    assert_raises(Multispool::MissingError) { spool.with_entry("incoming", "ghost") { flunk } }
  end

  def test_trying_to_check_out_an_entry_that_is_gone_gives_nil
    entry = spool.entry("incoming", "ghost")
    assert_nil entry.try_checkout
    assert_nil(entry.try_checkout { flunk })
    assert_nil(entry.try_with_entry { flunk })
    assert_nil spool.try_checkout("incoming", "ghost")
    assert_nil(spool.try_with_entry("incoming", "ghost") { flunk })
  end

  def test_with_entry_needs_a_block
    assert_raises(ArgumentError) { put.with_entry }
    assert_raises(ArgumentError) { put.try_with_entry }
  end

  def test_the_spool_does_by_name_what_the_entry_does
    name = put("data", metadata: "m").name
    assert_equal "m", spool.with_entry("incoming", name, &:metadata)
    assert_equal "m", spool.try_with_entry("incoming", name, &:metadata)
    assert_equal "m", spool.checkout("incoming", name, &:metadata)
    assert_equal "m", spool.try_checkout("incoming", name, &:metadata)
    spool.checkout("incoming", name).remove
    assert_equal [".multispool/format"], files
  end

  def test_direct_reads_and_writes_without_ownership
    entry = put("data", metadata: "old")
    direct = entry.direct
    assert_same entry, direct.entry
    direct.save("new\0\xFF".b)
    assert_equal "new\0\xFF".b, direct.contents
    file = direct.data_file
    file.save("other")
    assert_equal "other", file.load
    assert_equal 5, file.stat.size
    direct.remove
    assert_equal [".multispool/format"], files
  end

  def test_entries_are_equal_by_their_place
    entry = put
    same = spool.entry("incoming", entry.name)
    assert_equal entry, same
    assert_equal 1, [entry, same].uniq.size
    refute_equal entry, spool.entry("done", entry.name)
    refute_equal entry, "incoming/#{entry.name}"
  end

  def test_inspect_tells_the_place_and_not_the_payload
    entry = put("secret data", metadata: "secret")
    assert_includes entry.inspect, entry.name
    [entry, entry.direct, entry.direct.data_file].each { |object| refute_includes object.inspect, "secret" }
    entry.checkout { |checkout| refute_includes checkout.inspect, "secret" }
  end
end
