# frozen_string_literal: true

require "multispool"

# What a hand tells, and what it is told, by way of its local directory.
class Log
  # How often it looks whether it may go on.
  LOOK = 0.01

  attr_reader :number

  def initialize(control, number)
    @control = control
    @number = number
    @file = File.open(File.join(control, "#{number}.log"), File::WRONLY | File::APPEND | File::CREAT | File::EXCL)
  end

  def ask(verb, name)
    note("ask #{verb} #{name}")
  end

  def answer(answer, name, detail = "")
    note("#{answer} #{name} #{detail}")
  end

  # Tells of a call that failed, and ends the process: nothing is finished or given back on the way out.
  def failed(name, error)
    answer("failed", name, error.message)
    exit!(75)
  end

  # A call that must work.
  def call(verb, name)
    ask(verb, name)
    value = yield
    answer("done", name)
    value
  rescue Multispool::Error => e
    failed(name, e)
  end

  # A call of an entry's holder. False: it is not the holder any more. What is done but not known to be durable is done.
  def goes_on?(verb, name)
    ask(verb, name)
    yield
    answer("done", name)
    true
  rescue Multispool::NotDurableError
    answer("done", name)
    true
  rescue Multispool::LostOwnershipError
    answer("lost", name)
    false
  rescue Multispool::Error => e
    failed(name, e)
  end

  def stopped?
    file?("stop")
  end

  def await_go
    sleep LOOK until file?("go")
  end

  def await_let_go
    sleep LOOK while file?("#{number}.hold")
  end

  private

  # Adds a line, by one write, with the time of this call.
  def note(words)
    now = Process.clock_gettime(Process::CLOCK_BOOTTIME, :nanosecond)
    line = words.tr("\n", " ")
    @file.syswrite("#{now} #{line}\n")
  end

  def file?(name)
    File.exist?(File.join(@control, name))
  end
end
