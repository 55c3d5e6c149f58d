# frozen_string_literal: true

require_relative "spool_case"

class StopTest < Minitest::Test
  def test_it_is_triggered_once_and_for_all
    stop = Multispool::Stop.new
    refute_predicate stop, :triggered?
    refute stop.wait(0)
    assert_same stop, stop.trigger
    stop.trigger
    assert_predicate stop, :triggered?
    assert stop.wait
    assert_includes stop.inspect, "triggered"
  end

  def test_it_can_be_selected
    stop = Multispool::Stop.new
    assert_nil IO.select([stop], nil, nil, 0)
    stop.trigger
    assert_equal [[stop], [], []], IO.select([stop], nil, nil, 0)
  end

  def test_it_survives_more_triggers_than_its_pipe_holds
    stop = Multispool::Stop.new
    70_000.times { stop.trigger }
    assert stop.wait(0)
  end

  def test_a_closed_stop_is_refused
    stop = Multispool::Stop.new
    stop.close
    assert_predicate stop, :closed?
    assert_raises(Multispool::ClosedError) { stop.trigger }
    assert_raises(Multispool::ClosedError) { stop.wait }
  end
end
