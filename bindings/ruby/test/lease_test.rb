# frozen_string_literal: true

require_relative "spool_case"

# A spool that several hosts share, tried on one: an entry is its owner's for as long as the lease is renewed.
class LeaseTest < SpoolCase
  # The shortest there is, in seconds: a kept lease is renewed each quarter of it.
  LEASE = 4

  attr_reader :shared

  def setup
    super
    @shared = Multispool.create(File.join(work, "shared"), QUEUES, mode: :network, lease: LEASE, durability: :none)
  end

  def teardown
    @shared.close
    super
  end

  def test_a_spool_says_where_it_is_used_from_and_how_long_a_lease_is
    told = ->(opened) { [opened.mode, opened.lease] }
    assert_equal [:network, 4.0], told.call(shared)
    assert_equal [:network, 4.0], Multispool.load(shared.dir, QUEUES, &told)
    assert_equal [:network, 4.0], Multispool.create(shared.dir, QUEUES, lease: 30, &told)
    assert_equal [:network, 120.0], Multispool.create(File.join(work, "other"), QUEUES, mode: :network, &told)
    assert_equal [:local, nil], Multispool.create(File.join(work, "here"), QUEUES, mode: :local, &told)
    assert_equal [nil, nil], Multispool.load_unsafe(File.join(work, "nowhere"), QUEUES, &told)
  end

  def test_a_closed_spool_says_neither
    spool.close
    assert_raises(Multispool::ClosedError) { spool.mode }
    assert_raises(Multispool::ClosedError) { spool.lease }
  end

  def test_a_lease_that_makes_no_sense_is_refused_and_nothing_is_made
    other = File.join(work, "other")
    [3, 8.5, 100_000, -1].each do |lease|
      assert_raises(Multispool::InvalidArgumentError, lease) do
        Multispool.create(other, QUEUES, mode: :network, lease:)
      end
    end
    assert_raises(Multispool::InvalidArgumentError) { Multispool.create(other, QUEUES, mode: :local, lease: 8) }
    assert_raises(ArgumentError) { Multispool::Spoolable.new(QUEUES).load(shared.dir, lease: 8) }
    refute_path_exists other
  end

  def test_a_renewed_lease_begins_anew
    entry = put_shared
    checkout = entry.checkout
    run_out(entry)
    assert_nil checkout.renew
    assert_empty shared.recover
    assert_operator Time.now - File.mtime(claim(entry)), :<, 30
    checkout.close
    refute_path_exists claim(entry)
  end

  def test_a_late_holder_learns_that_another_has_its_entry
    entry = put_shared
    late = entry.checkout
    assert_equal [entry], give_back(entry)
    taken = entry.checkout
    uses = [-> { late.renew }, -> { late.save("done") }, -> { late.remove }, -> { late.release }, -> { late.close }]
    uses.each { |use| assert_raises(Multispool::LostOwnershipError, &use) }
    assert_predicate late, :closed?
    taken.save("done")
    assert_equal [entry.name], shared.list("done").map(&:name)
  end

  def test_a_late_block_learns_that_another_has_its_entry
    entry = put_shared
    taken = nil
    assert_raises(Multispool::LostOwnershipError) { entry.with_entry { taken = retake(entry) } }
    taken.remove
    other = put_shared
    failed = lambda do |_|
      taken = retake(other)
      raise EOFError
    end
    assert_raises(EOFError) { other.with_entry(&failed) }
    taken.save("done")
    assert_equal [other.name], shared.list("done").map(&:name)
  end

  def test_a_worker_tells_of_an_entry_that_another_has_by_now_and_goes_on
    lost = put_shared
    after = put_shared
    told = []
    on_error = ->(error, checkout) { told << [error.class, checkout] }
    run_worker(threads: 1, on_error:) { |checkout| checkout.name == lost.name ? retake(lost) : checkout.save("done") }
    assert_equal [[Multispool::LostOwnershipError, nil]], told
    assert_equal [after.name], shared.list("done").map(&:name)
  end

  def test_a_kept_lease_is_renewed_in_the_background_until_the_checkout_ends
    entry = put_shared
    checkout = entry.checkout
    2.times { assert_nil checkout.keep }
    2.times { until_renewed(entry) }
    checkout.remove
    refute_path_exists claim(entry)
  end

  def test_what_is_lent_to_a_block_is_kept
    [->(entry, &use) { entry.checkout(&use) },
     ->(entry, &use) { entry.with_entry(&use) },
     ->(entry, &use) { shared.try_with_entry("incoming", entry.name, &use) },
     ->(_, &use) { shared.reader("incoming") { |reader| reader.dequeue(&use) } },
     ->(_, &use) { shared.reader("incoming") { |reader| reader.each(timeout: 0, &use) } },
     ->(_, &use) { run_worker(&use) }].each { |way| lend(way) }
  end

  def test_a_typed_checkout_is_renewed_and_kept
    Multispool::Spoolable.new(QUEUES, metadata: :json).load(shared.dir) do |typed|
      entry = typed.enqueue("incoming", "data", metadata: [1], durability: :none)
      entry.checkout do |checkout|
        checkout.renew
        until_renewed(entry)
        assert_equal [1], checkout.metadata
        checkout.remove
      end
    end
  end

  def test_where_one_host_uses_the_spool_a_renewal_sees_that_the_entry_is_still_here
    entry = put
    checkout = entry.checkout
    assert_nil checkout.keep
    assert_nil checkout.renew
    File.rename(File.join(dir, "incoming", ".checkout", entry.name), File.join(dir, "incoming", entry.name))
    assert_raises(Multispool::LostOwnershipError) { checkout.renew }
    assert_raises(Multispool::LostOwnershipError) { checkout.close }
  end

  def test_a_finished_or_inherited_checkout_is_neither_renewed_nor_kept
    checkout = put_shared.checkout
    %i[renew keep].each { |call| assert_raises(Multispool::ForkedError) { in_child { checkout.public_send(call) } } }
    checkout.release
    %i[renew keep].each { |call| assert_raises(Multispool::FinishedError) { checkout.public_send(call) } }
    checkout.close
    %i[renew keep].each { |call| assert_raises(Multispool::ClosedError) { checkout.public_send(call) } }
  end

  private

  def put_shared
    shared.enqueue("incoming", "data", metadata: "metadata")
  end

  def claim(entry)
    File.join(shared.dir, ".multispool", "claims", entry.name)
  end

  # Has the lease look as if it was renewed last a minute ago.
  def run_out(entry)
    then_ = Time.now - 60
    File.utime(then_, then_, claim(entry), File.join(shared.dir, "incoming", ".checkout", entry.name))
  end

  # Has the lease run out, and the entry put back, as another host would.
  def give_back(entry)
    run_out(entry)
    shared.recover
  end

  def retake(entry)
    give_back(entry)
    entry.checkout
  end

  def until_renewed(entry)
    before = File.mtime(claim(entry))
    eventually("the lease is renewed") { File.mtime(claim(entry)) > before }
  end

  # Puts an entry in, and has it taken and removed in such a way.
  def lend(way)
    entry = put_shared
    renewed = false
    way.call(entry) do |checkout|
      until_renewed(entry)
      renewed = true
      checkout.remove
    end
    assert renewed
    refute_path_exists claim(entry)
  end

  def run_worker(**options, &)
    Multispool::Worker.new(shared, "incoming", **options, &).run(signals: [], timeout: 0.1)
  end
end
