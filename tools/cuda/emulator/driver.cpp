// A stand-in for NVIDIA's driver that runs pdsl's kernels on the CPU: one emulated thread after the other, the threads of
// a block in turns between barriers. It is for tests on machines without a GPU and shows that the engine's logic is right;
// about real GPUs, their timing and races it shows nothing.
//
//   EMULATED_DEVICES   number of GPUs (1)
//   EMULATED_MEMORY    bytes of memory of each (16 GiB)
//
// Fresh memory is full of NaNs, and every allocation ends at a page that may not be touched.

#include <cuda.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#define __device__
#define __global__
#define __shared__ static

struct Dimensions {
    unsigned x, y, z;
};
static Dimensions gridDim, blockDim, blockIdx, threadIdx;
static void __syncthreads();

#include "kernels.cu"

namespace {

std::mutex one_at_a_time;

// --- Launching ---------------------------------------------------------------------------------------------------

using Entry = void (*)(void **);

template <class... Arguments, size_t... At>
void call(void (*kernel)(Arguments...), void **given, std::index_sequence<At...>) {
    kernel(*static_cast<std::decay_t<Arguments> *>(given[At])...);
}

template <class... Arguments> void call(void (*kernel)(Arguments...), void **given) {
    call(kernel, given, std::index_sequence_for<Arguments...>());
}

const std::map<std::string, Entry> entries = {
#define ENTRY(name) {#name, [](void **given) { call(name, given); }},
#include "entries.inc"
#undef ENTRY
};

// Threads that wait for each other run on stacks of their own.
struct Fibre {
    ucontext_t context;
    std::vector<char> stack;
    bool done;
};

ucontext_t scheduler;
std::vector<Fibre> fibres;
unsigned running;
Entry entry;
void **arguments;

void run_fibre() {
    entry(arguments);
    fibres[running].done = true;
    swapcontext(&fibres[running].context, &scheduler);
}

bool waits(const std::string &name) {
    return name.rfind("cross_entropy", 0) == 0 || name == "column_totals" || name == "join_moments";
}

void run_together() {
    fibres.resize(blockDim.x);
    for (Fibre &fibre : fibres) {
        fibre.stack.resize(64 << 10);
        fibre.done = false;
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.data();
        fibre.context.uc_stack.ss_size = fibre.stack.size();
        makecontext(&fibre.context, run_fibre, 0);
    }
    for (bool left = true; left;) {
        left = false;
        for (running = 0; running < blockDim.x; running++) {
            if (fibres[running].done) continue;
            threadIdx = {running, 0, 0};
            swapcontext(&scheduler, &fibres[running].context);
            left |= !fibres[running].done;
        }
    }
}

// --- Memory ------------------------------------------------------------------------------------------------------

struct Block {
    char *mapping;
    size_t mapped, bytes;
    int device;
};

std::map<CUdeviceptr, Block> blocks;
std::map<int, size_t> used;
thread_local int current = -1;
constexpr size_t PAGE = 4096;

long setting(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

int devices() { return (int)setting("EMULATED_DEVICES", 1); }

size_t capacity() { return (size_t)setting("EMULATED_MEMORY", 16L << 30); }

bool inside(CUdeviceptr pointer, size_t bytes) {
    auto after = blocks.upper_bound(pointer);
    if (after == blocks.begin()) return false;
    const auto &[first, block] = *--after;
    return block.device == current && pointer - first + bytes <= block.bytes;
}

CUcontext context_of(int device) { return (CUcontext)(uintptr_t)(device + 1); }

} // namespace

static void __syncthreads() { swapcontext(&fibres[running].context, &scheduler); }

extern "C" {

CUresult cuInit(unsigned) { return devices() > 0 ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE; }

CUresult cuDeviceGetCount(int *count) {
    *count = devices();
    return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < devices() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice) {
    strncpy(name, "emulated", (size_t)length);
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
    *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 9 : 0;
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    *context = context_of(device);
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease(CUdevice) { return CUDA_SUCCESS; }

CUresult cuCtxGetCurrent(CUcontext *context) {
    *context = current < 0 ? nullptr : context_of(current);
    return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
    current = (int)(uintptr_t)context - 1;
    return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize(void) { return CUDA_SUCCESS; }

CUresult cuStreamCreate(CUstream *stream, unsigned) {
    *stream = (CUstream)(uintptr_t)(current + 1);
    return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream) { return CUDA_SUCCESS; }

CUresult cuStreamDestroy(CUstream) { return CUDA_SUCCESS; }

CUresult cuMemGetInfo(size_t *free, size_t *total) {
    std::lock_guard guard(one_at_a_time);
    *total = capacity();
    *free = capacity() > used[current] ? capacity() - used[current] : 0;
    return CUDA_SUCCESS;
}

CUresult cuMemAlloc(CUdeviceptr *pointer, size_t bytes) {
    std::lock_guard guard(one_at_a_time);
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (used[current] + bytes > capacity()) return CUDA_ERROR_OUT_OF_MEMORY;
    // Real allocations start at multiples of 256 bytes; 16 is as exact as vector instructions of the CPU bear.
    size_t rounded = (bytes + 15) / 16 * 16, pages = (rounded + PAGE - 1) / PAGE * PAGE;
    void *mapping = mmap(nullptr, pages + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
    char *first = static_cast<char *>(mapping);
    mprotect(first + pages, PAGE, PROT_NONE);
    memset(first, 0xff, pages);
    *pointer = (CUdeviceptr)(first + pages - rounded);
    blocks[*pointer] = {first, pages + PAGE, bytes, current};
    used[current] += bytes;
    return CUDA_SUCCESS;
}

CUresult cuMemFree(CUdeviceptr pointer) {
    std::lock_guard guard(one_at_a_time);
    auto found = blocks.find(pointer);
    if (found == blocks.end()) return CUDA_ERROR_INVALID_VALUE;
    used[found->second.device] -= found->second.bytes;
    munmap(found->second.mapping, found->second.mapped);
    blocks.erase(found);
    return CUDA_SUCCESS;
}

CUresult cuMemsetD8Async(CUdeviceptr pointer, unsigned char value, size_t bytes, CUstream) {
    std::lock_guard guard(one_at_a_time);
    if (!inside(pointer, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
    memset((void *)pointer, value, bytes);
    return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream) {
    std::lock_guard guard(one_at_a_time);
    if (!inside(to, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
    memcpy((void *)to, from, bytes);
    return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream) {
    std::lock_guard guard(one_at_a_time);
    if (!inside(from, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
    memcpy(to, (const void *)from, bytes);
    return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream) {
    std::lock_guard guard(one_at_a_time);
    if (!inside(to, bytes) || !inside(from, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
    memcpy((void *)to, (const void *)from, bytes);
    return CUDA_SUCCESS;
}

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
    const char *text = static_cast<const char *>(image);
    *module = (CUmodule)(uintptr_t)1;
    return strstr(text, ".visible .entry") ? CUDA_SUCCESS : CUDA_ERROR_INVALID_PTX;
}

CUresult cuModuleUnload(CUmodule) { return CUDA_SUCCESS; }

CUresult cuModuleGetFunction(CUfunction *function, CUmodule, const char *name) {
    auto found = entries.find(name);
    if (found == entries.end()) return CUDA_ERROR_NOT_FOUND;
    *function = (CUfunction)&*found;
    return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid, unsigned, unsigned, unsigned block, unsigned, unsigned,
                        unsigned, CUstream stream, void **given, void **) {
    std::lock_guard guard(one_at_a_time);
    if (stream != (CUstream)(uintptr_t)(current + 1)) return CUDA_ERROR_INVALID_HANDLE;
    if (grid == 0 || block == 0 || block > 1024) return CUDA_ERROR_INVALID_VALUE;
    const auto &[name, kernel] = *reinterpret_cast<const std::pair<const std::string, Entry> *>(function);
    gridDim = {grid, 1, 1};
    blockDim = {block, 1, 1};
    entry = kernel;
    arguments = given;
    bool together = waits(name);
    for (unsigned nth = 0; nth < grid; nth++) {
        blockIdx = {nth, 0, 0};
        if (together) {
            run_together();
            continue;
        }
        for (unsigned thread = 0; thread < block; thread++) {
            threadIdx = {thread, 0, 0};
            kernel(given);
        }
    }
    return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult, const char **text) {
    *text = "an emulated error";
    return CUDA_SUCCESS;
}
}
