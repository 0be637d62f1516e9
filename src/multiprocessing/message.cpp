#include "multiprocessing/message.h"

#include <utility>

#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

int Outgoing::add_descriptor(int descriptor) {
  descriptors_.push_back(descriptor);
  return static_cast<int>(descriptors_.size()) - 1;
}

int Outgoing::take_descriptor(int /*index*/) {
  throw RuntimeError("descriptors are taken in the process that they are sent to");
}

int Incoming::add_descriptor(int /*descriptor*/) {
  throw RuntimeError("descriptors are added in the process that sends them");
}

int Incoming::take_descriptor(int index) {
  const bool is_there = index >= 0 && static_cast<std::size_t>(index) < descriptors_.size() &&
                        descriptors_[static_cast<std::size_t>(index)];
  if (!is_there) {
    throw ValueError("no descriptor was sent under the index " + std::to_string(index));
  }
  return descriptors_[static_cast<std::size_t>(index)].release();
}

platform::Descriptor Incoming::take(int index) {
  return index < 0 ? platform::Descriptor() : platform::Descriptor(take_descriptor(index));
}

std::vector<std::byte> write_message(const Message& message, const Crossing* crossing,
                                     Outgoing& outgoing) {
  const std::size_t size =
      pickle::packed_size(message) + (crossing == nullptr ? 0 : crossing->size());
  std::vector<std::byte> bytes(size);
  pickle::Writer writer(bytes, &outgoing);
  pickle::pack(writer, message);
  if (crossing != nullptr) crossing->write(writer);
  bytes.resize(writer.written());
  return bytes;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
