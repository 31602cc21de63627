// A stand-in for the part of NCCL that pdsl calls: sums of floats within one process, when a group ends.

#include <nccl.h>

#include <vector>

namespace {

struct Request {
    const float *from;
    float *to;
    size_t count;
};

thread_local std::vector<Request> requests;
thread_local bool grouped;
thread_local int members;

} // namespace

extern "C" {

ncclResult_t ncclCommInitAll(ncclComm_t *comms, int count, const int *) {
    for (int at = 0; at < count; at++) comms[at] = reinterpret_cast<ncclComm_t>(new int(at));
    members = count;
    return ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
    delete reinterpret_cast<int *>(comm);
    return ncclSuccess;
}

ncclResult_t ncclGroupStart(void) {
    grouped = true;
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void *from, void *to, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                           ncclComm_t, cudaStream_t) {
    if (!grouped || type != ncclFloat || operation != ncclSum) return ncclInvalidArgument;
    requests.push_back({static_cast<const float *>(from), static_cast<float *>(to), count});
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd(void) {
    grouped = false;
    if ((int)requests.size() != members) return ncclInvalidUsage;
    std::vector<float> sums(requests.empty() ? 0 : requests[0].count);
    for (const Request &request : requests) {
        if (request.count != sums.size()) return ncclInvalidArgument;
        for (size_t at = 0; at < sums.size(); at++) sums[at] += request.from[at];
    }
    for (const Request &request : requests)
        for (size_t at = 0; at < sums.size(); at++) request.to[at] = sums[at];
    requests.clear();
    return ncclSuccess;
}
}
