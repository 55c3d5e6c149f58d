#!/usr/bin/env ruby
# frozen_string_literal: true

# The last stage of the demo: takes entries from `compressed`, checks them, writes each as a file of an output tree, and
# removes them.
#
#     unpack.rb SPOOL OUTPUT
#
# The metadata is a JSON object, {"path": relative to the tree, "size": in bytes, "sha256": in hex}, of the contents;
# the data is the contents in gzip. A file is whole and on disk before its entry goes, so the stage may be killed and
# run again at any time. Once a second, and at the end, a line of progress goes to standard error:
#
#     {"stage":"unpack","entries":1200,"bytes":9000000,"seconds":2.0}
#
# SIGTERM and SIGINT finish the entry in hand, then end. Exit status: 0 done, 1 failure or a refused entry (which goes
# back to its queue), 2 wrong usage.

$LOAD_PATH.unshift(File.expand_path("../../../bindings/ruby/lib", __dir__))
require "multispool"
require "digest"
require "json"
require "zlib"

# An entry that is not what it says it is.
class Refused < StandardError; end

# What an entry's metadata says of it.
Claim = Struct.new(:path, :bytes, :sha256) do
  def self.parse(metadata)
    object = JSON.parse(metadata)
    raise Refused, "the metadata is not a JSON object" unless object.is_a?(Hash)

    path, size, sha256 = object.values_at("path", "size", "sha256")
    unless path.is_a?(String) && size.is_a?(Integer) && sha256.is_a?(String)
      raise Refused, "the metadata lacks a path, a size or a sha256"
    end

    new(path, size, sha256)
  rescue JSON::ParserError, EncodingError => e
    raise Refused, "the metadata is not JSON: #{e.message.lines.first.chomp}"
  end

  # The parts of the path, all of which stay inside the tree.
  def components
    parts = path.split("/", -1)
    return parts unless path.include?("\0") || parts.empty? || parts.intersect?(["", ".", ".."])

    raise Refused, "the path #{path.inspect} leaves the output tree"
  end
end

# The directory that the files are written to.
class OutputTree
  CHUNK = 256 * 1024

  def initialize(root)
    @root = root
    raise Refused, "#{root} is not a directory" unless File.directory?(root)
  end

  # Writes the file, or nothing. The temporary file is named after the entry, which nobody else has, so what a killed
  # run left of it is written over by the next.
  # @return [Integer] bytes
  def write(claim, gzip, entry_name)
    parts = claim.components
    temporary = File.join(@root, ".unpack.#{entry_name}")
    unpack(claim, gzip, temporary)
    directory = make_directories(parts[0...-1])
    File.rename(temporary, File.join(directory, parts.last))
    sync_directory(directory)
    claim.bytes
  rescue StandardError
    File.delete(temporary) if temporary && File.exist?(temporary)
    raise
  end

  private

  def unpack(claim, gzip, temporary)
    digest = Digest::SHA256.new
    size = 0
    File.open(temporary, File::WRONLY | File::CREAT | File::TRUNC | File::NOFOLLOW | File::BINARY, 0o666) do |file|
      each_chunk(gzip) do |chunk|
        size += chunk.bytesize
        # Before it is written: a small entry must not fill the disk.
        raise Refused, "the data is longer than #{claim.bytes} bytes" if size > claim.bytes

        digest << chunk
        file.write(chunk)
      end
      file.fsync
    end
    compare(claim, size, digest.hexdigest)
  end

  def compare(claim, size, sha256)
    raise Refused, "the data has #{size} bytes instead of #{claim.bytes}" unless size == claim.bytes
    raise Refused, "the data has the digest #{sha256} instead of #{claim.sha256}" unless sha256 == claim.sha256
  end

  def each_chunk(gzip)
    reader = Zlib::GzipReader.new(gzip)
    while (chunk = reader.read(CHUNK))
      yield chunk
    end
    raise Refused, "the data goes on behind the end of its gzip stream" if reader.unused
  rescue Zlib::Error => e
    raise Refused, "the data is not gzip: #{e.message}"
  end

  # A link in the tree could lead out of it, so each directory on the way is looked at.
  def make_directories(parts)
    parts.inject(@root) do |parent, part|
      directory = File.join(parent, part)
      begin
        Dir.mkdir(directory)
        sync_directory(parent)
      rescue Errno::EEXIST
        raise Refused, "#{directory} is not a directory" unless File.lstat(directory).directory?
      end
      directory
    end
  end

  def sync_directory(directory)
    File.open(directory, &:fsync)
  end
end

# The line of progress.
class Progress
  def initialize
    @entries = @bytes = 0
    @start = now
    @thread = Thread.new do
      loop do
        sleep 1
        report
      end
    end
  end

  def count(bytes)
    @entries += 1
    @bytes += bytes
  end

  def finish
    @thread.kill.join
    report
  end

  private

  def report
    warn JSON.generate(stage: "unpack", entries: @entries, bytes: @bytes, seconds: (now - @start).round(1))
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end

# @return [Boolean] whether no entry was refused
def unpack_all(spool, tree, stop)
  sound = true
  progress = Progress.new
  spool.recover
  spool.reader(:compressed) do |reader|
    reader.each(stop:) do |checkout|
      bytes = checkout.data_io { |gzip| tree.write(Claim.parse(checkout.metadata), gzip, checkout.name) }
      checkout.remove
      progress.count(bytes)
    rescue Refused => e
      sound = false
      warn "unpack: #{checkout.name}: #{e.message}; it goes back to its queue"
    end
  end
  sound
ensure
  progress.finish
end

if ARGV.size != 2
  warn "usage: unpack.rb SPOOL OUTPUT"
  exit 2
end

stop = Multispool::Stop.new
%w[TERM INT].each { |signal| trap(signal) { stop.trigger } }

begin
  tree = OutputTree.new(ARGV[1])
  exit(Multispool.load(ARGV[0], :compressed) { |spool| unpack_all(spool, tree, stop) })
rescue Multispool::Error, SystemCallError, Refused => e
  warn "unpack: #{e.message}"
  exit 1
end
