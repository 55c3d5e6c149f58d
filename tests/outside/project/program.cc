// The same in C++17: handles in std::unique_ptr, an exception for a failure.
//
//     program SPOOL

#include <multispool.h>
#include <multispool_helpers.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

template <auto free_handle>
struct Free {
    template <typename Handle>
    void operator()(Handle *handle) const
    {
        free_handle(handle);
    }
};
template <typename Handle, auto free_handle>
using Owned = std::unique_ptr<Handle, Free<free_handle>>;
using Spool = Owned<multispool_spool, multispool_spool_free>;
using Reader = Owned<multispool_reader, multispool_reader_free>;
using DataFile = Owned<multispool_data_file, multispool_data_file_free>;
using Buffer = Owned<multispool_buffer, multispool_buffer_free>;

const uint8_t *bytes(std::string_view text) { return reinterpret_cast<const uint8_t *>(text.data()); }

void check(int32_t status, multispool_error *error)
{
    if (status == MULTISPOOL_OK)
        return;
    Owned<multispool_error, multispool_error_free> owned(error);
    const char *message = multispool_error_message(error);
    throw std::runtime_error(message != nullptr ? message : multispool_status_name(status));
}

void run(const char *directory)
{
    const char *const queues[] = {"in"};
    constexpr std::string_view data = "from outside";
    multispool_error *error = nullptr;

    multispool_spool *new_spool;
    check(multispool_spool_create(directory, queues, 1, nullptr, &new_spool, &error), error);
    Spool spool(new_spool);
    check(multispool_enqueue(spool.get(), "in", nullptr, 0, bytes(data), data.size(), nullptr, nullptr, &error), error);
    multispool_reader *new_reader;
    check(multispool_reader_create(spool.get(), queues, 1, nullptr, &new_reader, &error), error);
    Reader reader(new_reader);
    auto print = [](multispool_checkout *checkout, void *, multispool_error **why) {
        multispool_data_file *file;
        if (int32_t status = multispool_checkout_data_file(checkout, &file, why); status != MULTISPOOL_OK)
            return multispool_outcome_fail(status);
        DataFile owned(file);
        multispool_buffer *buffer;
        if (int32_t status = multispool_data_file_load(file, &buffer, why); status != MULTISPOOL_OK)
            return multispool_outcome_fail(status);
        Buffer loaded(buffer);
        size_t len;
        const uint8_t *first = multispool_buffer_data(buffer, &len);
        std::cout << std::string(first, first + len) << '\n';
        return multispool_outcome_remove();
    };
    check(multispool_for_each_available(reader.get(), print, nullptr, &error), error);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    try {
        run(argv[1]);
    } catch (const std::exception &exception) {
        std::cerr << "program: " << exception.what() << '\n';
        return 1;
    }
}
