# frozen_string_literal: true

require_relative "lib/multispool/version"

Gem::Specification.new do |gem|
  gem.name = "multispool"
  gem.version = Multispool::VERSION
  gem.summary = "A durable queue that is only a directory, shared live with Rust, C and Go"
  gem.description = "Puts entries into a multispool spool and takes them out: nothing is lost when a process or the " \
                    "power dies, and a dead worker's entry goes to the next. On the C library libmultispool."
  gem.authors = ["The multispool authors"]
  gem.license = "MIT"
  gem.required_ruby_version = ">= 3.1"

  # A gem built for one platform carries the library: lib/multispool/libmultispool.so.0 is packed if it is there.
  gem.files = Dir.chdir(__dir__) do
    Dir["lib/**/*.rb", "lib/multispool/libmultispool.so.0", "sig/**/*.rbs", "README.md", "LICENSE"]
  end
  gem.platform = Gem::Platform::CURRENT if gem.files.any? { |file| file.end_with?(".so.0") }
  gem.require_paths = ["lib"]
  gem.metadata = { "rubygems_mfa_required" => "true" }

  gem.add_runtime_dependency "ffi", "~> 1.15"
end
