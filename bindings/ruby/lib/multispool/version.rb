# frozen_string_literal: true

module Multispool
  # The gem's version, and the oldest minor version of the library it works with.
  VERSION = "0.1.0"
end
