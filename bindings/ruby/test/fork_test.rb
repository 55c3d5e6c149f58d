# frozen_string_literal: true

require_relative "spool_case"

class ForkTest < SpoolCase
  def test_a_spool_works_in_a_forked_child
    name = in_child { put("from the child", metadata: "m").name }
    assert_equal [name], names("incoming")
    assert_equal(name, in_child { spool.reader("incoming") { |reader| reader.dequeue_available(&:name) } })
    in_child { spool.with_entry("incoming", name, &:remove) }
    assert_equal [".multispool/format"], files
  end

  def test_a_checkout_of_the_parent_is_refused_in_the_child
    checkout = put.checkout
    assert_raises(Multispool::ForkedError) { in_child { checkout.metadata } }
    assert_raises(Multispool::ForkedError) { in_child { checkout.save("done") } }
    assert_raises(Multispool::ForkedError) { in_child { checkout.release } }
    assert_raises(Multispool::ForkedError) { in_child { checkout.finished? } }
    checkout.save("done")
    assert_equal 1, names("done").size
  end

  def test_a_reader_of_the_parent_is_refused_in_the_child
    reader = spool.reader("incoming")
    reader.dequeue(timeout: 0)
    assert_raises(Multispool::ForkedError) { in_child { reader.dequeue_available } }
    assert_raises(Multispool::ForkedError) { in_child { reader.dequeue(timeout: 1) } }
    name = put.name
    assert_equal(name, reader.dequeue(timeout: PATIENCE, &:name))
    reader.close
  end

  def test_a_data_writer_of_the_parent_is_refused_in_the_child
    put.checkout do |checkout|
      checkout.write_data do |writer|
        assert_raises(Multispool::ForkedError) { in_child { writer << "x" } }
        writer << "mine"
      end
      assert_equal "mine", checkout.data
    end
  end

  def test_what_the_child_closes_or_collects_stays_the_parents
    checkout = put.checkout
    reader = spool.reader("incoming")
    in_child do
      checkout.close
      reader.close
      checkout = reader = nil
      GC.start
    end
    assert_equal [checkout.name], checked_out
    assert_nil(in_child { spool.try_checkout("incoming", checkout.name) })
    assert_empty(in_child { spool.recover(min_age: 0).map(&:name) })
    checkout.save("done")
    late = put.name
    assert_equal(late, reader.dequeue(timeout: PATIENCE, &:name))
    reader.close
  end

  def test_a_child_does_not_keep_the_lock_of_a_dead_parent
    name = put.name
    output, input = IO.pipe
    hold, release = IO.pipe
    parent = fork do
      # Held on to, so that the lock ends with the process and not with a collection.
      checkout = Multispool.load(dir, QUEUES).checkout("incoming", name)
      fork do
        release.close
        input.puts "the child lives"
        input.close
        hold.read
        exit!(checkout.closed? ? 1 : 0)
      end
      Process.kill("KILL", Process.pid)
    end
    input.close
    assert_equal "the child lives\n", output.gets
    Process.wait(parent)
    assert_equal [name], checked_out
    assert_equal [name], spool.recover.map(&:name)
    assert_equal [name], names("incoming")
  ensure
    release.close
  end

  def test_an_entry_whose_owner_was_killed_goes_to_the_next
    name = put.name
    output, input = IO.pipe
    pid = fork do
      checkout = Multispool.load(dir, QUEUES).checkout("incoming", name)
      input.puts checkout.name
      sleep
    end
    assert_equal name, output.gets.chomp
    assert_empty spool.recover
    Process.kill("KILL", pid)
    Process.wait(pid)
    assert_equal [name], spool.recover.map(&:name)
    spool.with_entry("incoming", name, &:remove)
  end

  def test_a_stop_is_the_childs_own_after_a_fork
    stop = Multispool::Stop.new
    assert(in_child { stop.trigger.wait(PATIENCE) })
    refute_predicate stop, :triggered?
    assert_nil IO.select([stop], nil, nil, 0)
    stop.trigger
    assert(in_child { stop.wait(PATIENCE) })
  end

  def test_threads_of_a_child_that_wait_for_one_stop_are_all_ended
    20.times do
      stop = Multispool::Stop.new
      ended = in_child do
        waiters = Array.new(8) { Thread.new { stop.wait(PATIENCE) } }
        stop.trigger
        waiters.map(&:value)
      end
      assert_equal [true] * 8, ended
    end
  end
end
