// A stand-in for the part of cuDNN that pdsl calls, computed on the CPU in the plainest way.
//
// Every query for algorithms proposes one that is not deterministic first, and a deterministic one second.

#include <cudnn.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

struct Tensor {
    cudnnDataType_t type;
    int n, c, h, w;
    size_t count() const { return (size_t)n * c * h * w; }
};

struct Filter {
    cudnnDataType_t type;
    int k, c, h, w;
    size_t count() const { return (size_t)k * c * h * w; }
};

struct Convolution {
    int pad, stride, dilation, groups;
};

constexpr size_t WORKSPACE = 1 << 10;
constexpr int CAREFUL = 1;

float widened(uint16_t from) {
    uint32_t bits = (uint32_t)from << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

uint16_t rounded(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return value == value ? (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16) : 0x7fc0;
}

std::vector<float> read(cudnnDataType_t type, const void *from, size_t count) {
    std::vector<float> values(count);
    for (size_t at = 0; at < count; at++)
        values[at] = type == CUDNN_DATA_FLOAT ? static_cast<const float *>(from)[at]
                                              : widened(static_cast<const uint16_t *>(from)[at]);
    return values;
}

// to = alpha values + beta to
void write(cudnnDataType_t type, void *to, const std::vector<float> &values, const void *alpha, const void *beta) {
    float a = *static_cast<const float *>(alpha), b = *static_cast<const float *>(beta);
    for (size_t at = 0; at < values.size(); at++) {
        if (type == CUDNN_DATA_FLOAT) {
            float *place = static_cast<float *>(to) + at;
            *place = a * values[at] + (b == 0.0f ? 0.0f : b * *place);
        } else {
            uint16_t *place = static_cast<uint16_t *>(to) + at;
            *place = rounded(a * values[at] + (b == 0.0f ? 0.0f : b * widened(*place)));
        }
    }
}

Tensor &tensor(cudnnTensorDescriptor_t descriptor) { return *reinterpret_cast<Tensor *>(descriptor); }

Filter &filter(cudnnFilterDescriptor_t descriptor) { return *reinterpret_cast<Filter *>(descriptor); }

Convolution &convolution(cudnnConvolutionDescriptor_t descriptor) {
    return *reinterpret_cast<Convolution *>(descriptor);
}

bool fits(const Tensor &x, const Filter &w, const Convolution &how, const Tensor &y) {
    auto extent = [&](int in, int taps) { return (in + 2 * how.pad - how.dilation * (taps - 1) - 1) / how.stride + 1; };
    return x.n == y.n && w.k == y.c && w.c * how.groups == x.c && extent(x.h, w.h) == y.h && extent(x.w, w.w) == y.w &&
           x.type == y.type && x.type == w.type;
}

// Calls visit(x offset, y offset, w offset, channels of w, outputs of the group) for every pair of places that meet.
template <class Visit>
void meet(const Tensor &x, const Filter &w, const Convolution &how, const Tensor &y, Visit visit) {
    int outputs = w.k / how.groups;
    for (int n = 0; n < y.n; n++)
        for (int row = 0; row < y.h; row++)
            for (int column = 0; column < y.w; column++)
                for (int down = 0; down < w.h; down++)
                    for (int right = 0; right < w.w; right++) {
                        int h = row * how.stride - how.pad + down * how.dilation;
                        int v = column * how.stride - how.pad + right * how.dilation;
                        if (h < 0 || h >= x.h || v < 0 || v >= x.w) continue;
                        for (int group = 0; group < how.groups; group++) {
                            size_t from = (((size_t)n * x.h + h) * x.w + v) * x.c + (size_t)group * w.c;
                            size_t to = (((size_t)n * y.h + row) * y.w + column) * y.c + (size_t)group * outputs;
                            size_t tap = (size_t)group * outputs * w.h * w.w * w.c + ((size_t)down * w.w + right) * w.c;
                            visit(from, to, tap, outputs);
                        }
                    }
}

template <class Answer> cudnnStatus_t propose(int most, int *count, Answer *answers) {
    *count = most < 2 ? most : 2;
    for (int at = 0; at < *count; at++) {
        answers[at] = {};
        answers[at].algo = static_cast<decltype(answers[at].algo)>(at);
        answers[at].status = CUDNN_STATUS_SUCCESS;
        answers[at].memory = WORKSPACE;
        answers[at].determinism = at == CAREFUL ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
        answers[at].mathType = CUDNN_DEFAULT_MATH;
    }
    return CUDNN_STATUS_SUCCESS;
}

bool roomy(void *workspace, size_t bytes) {
    if (!workspace || bytes < WORKSPACE) return false;
    memset(workspace, 0xff, WORKSPACE);
    return true;
}

} // namespace

extern "C" {

size_t cudnnGetVersion(void) { return CUDNN_VERSION; }

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle) {
    *handle = reinterpret_cast<cudnnHandle_t>(new int);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
    delete reinterpret_cast<int *>(handle);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *descriptor) {
    *descriptor = reinterpret_cast<cudnnTensorDescriptor_t>(new Tensor());
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
    delete &tensor(descriptor);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
    if (format != CUDNN_TENSOR_NHWC || n < 1 || c < 1 || h < 1 || w < 1) return CUDNN_STATUS_BAD_PARAM;
    tensor(descriptor) = {type, n, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *descriptor) {
    *descriptor = reinterpret_cast<cudnnFilterDescriptor_t>(new Filter());
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t descriptor) {
    delete &filter(descriptor);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
    if (format != CUDNN_TENSOR_NHWC || k < 1 || c < 1 || h < 1 || w < 1) return CUDNN_STATUS_BAD_PARAM;
    filter(descriptor) = {type, k, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *descriptor) {
    *descriptor = reinterpret_cast<cudnnConvolutionDescriptor_t>(new Convolution());
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t descriptor) {
    delete &convolution(descriptor);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad, int pad_w, int stride,
                                              int stride_w, int dilation, int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t type) {
    if (pad != pad_w || stride != stride_w || dilation != dilation_w || mode != CUDNN_CROSS_CORRELATION ||
        type != CUDNN_DATA_FLOAT)
        return CUDNN_STATUS_BAD_PARAM;
    convolution(descriptor) = {pad, stride, dilation, 1};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t descriptor, int groups) {
    convolution(descriptor).groups = groups;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t, cudnnMathType_t) {
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                     const cudnnFilterDescriptor_t w,
                                                     const cudnnConvolutionDescriptor_t how,
                                                     const cudnnTensorDescriptor_t y, const int most, int *count,
                                                     cudnnConvolutionFwdAlgoPerf_t *answers) {
    if (!fits(tensor(x), filter(w), convolution(how), tensor(y))) return CUDNN_STATUS_BAD_PARAM;
    return propose(most, count, answers);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t, const cudnnFilterDescriptor_t w,
                                                          const cudnnTensorDescriptor_t dy,
                                                          const cudnnConvolutionDescriptor_t how,
                                                          const cudnnTensorDescriptor_t dx, const int most, int *count,
                                                          cudnnConvolutionBwdDataAlgoPerf_t *answers) {
    if (!fits(tensor(dx), filter(w), convolution(how), tensor(dy))) return CUDNN_STATUS_BAD_PARAM;
    return propose(most, count, answers);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                            const cudnnTensorDescriptor_t dy,
                                                            const cudnnConvolutionDescriptor_t how,
                                                            const cudnnFilterDescriptor_t dw, const int most,
                                                            int *count, cudnnConvolutionBwdFilterAlgoPerf_t *answers) {
    if (!fits(tensor(x), filter(dw), convolution(how), tensor(dy))) return CUDNN_STATUS_BAD_PARAM;
    return propose(most, count, answers);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void *alpha, const cudnnTensorDescriptor_t x_of,
                                      const void *x, const cudnnFilterDescriptor_t w_of, const void *w,
                                      const cudnnConvolutionDescriptor_t how, cudnnConvolutionFwdAlgo_t,
                                      void *workspace, size_t bytes, const void *beta,
                                      const cudnnTensorDescriptor_t y_of, void *y) {
    Tensor &in = tensor(x_of), &out = tensor(y_of);
    Filter &taps = filter(w_of);
    if (!roomy(workspace, bytes)) return CUDNN_STATUS_BAD_PARAM;
    auto from = read(in.type, x, in.count()), weights = read(taps.type, w, taps.count());
    std::vector<float> to(out.count());
    size_t each = (size_t)taps.h * taps.w * taps.c;
    meet(in, taps, convolution(how), out, [&](size_t at, size_t into, size_t tap, int outputs) {
        for (int k = 0; k < outputs; k++) {
            const float *a = &from[at], *b = &weights[tap + k * each];
            float sum = 0.0f;
            for (int c = 0; c < taps.c; c++) sum += a[c] * b[c];
            to[into + k] += sum;
        }
    });
    write(out.type, y, to, alpha, beta);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t, const void *alpha, const cudnnFilterDescriptor_t w_of,
                                           const void *w, const cudnnTensorDescriptor_t dy_of, const void *dy,
                                           const cudnnConvolutionDescriptor_t how, cudnnConvolutionBwdDataAlgo_t,
                                           void *workspace, size_t bytes, const void *beta,
                                           const cudnnTensorDescriptor_t dx_of, void *dx) {
    Tensor &in = tensor(dx_of), &out = tensor(dy_of);
    Filter &taps = filter(w_of);
    if (!roomy(workspace, bytes)) return CUDNN_STATUS_BAD_PARAM;
    auto from = read(out.type, dy, out.count()), weights = read(taps.type, w, taps.count());
    std::vector<float> to(in.count());
    size_t each = (size_t)taps.h * taps.w * taps.c;
    meet(in, taps, convolution(how), out, [&](size_t at, size_t of, size_t tap, int outputs) {
        for (int k = 0; k < outputs; k++) {
            float *a = &to[at];
            const float *b = &weights[tap + k * each];
            for (int c = 0; c < taps.c; c++) a[c] += from[of + k] * b[c];
        }
    });
    write(in.type, dx, to, alpha, beta);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t, const void *alpha, const cudnnTensorDescriptor_t x_of,
                                             const void *x, const cudnnTensorDescriptor_t dy_of, const void *dy,
                                             const cudnnConvolutionDescriptor_t how, cudnnConvolutionBwdFilterAlgo_t,
                                             void *workspace, size_t bytes, const void *beta,
                                             const cudnnFilterDescriptor_t dw_of, void *dw) {
    Tensor &in = tensor(x_of), &out = tensor(dy_of);
    Filter &taps = filter(dw_of);
    if (!roomy(workspace, bytes)) return CUDNN_STATUS_BAD_PARAM;
    auto from = read(in.type, x, in.count()), gradient = read(out.type, dy, out.count());
    std::vector<float> to(taps.count());
    size_t each = (size_t)taps.h * taps.w * taps.c;
    meet(in, taps, convolution(how), out, [&](size_t at, size_t of, size_t tap, int outputs) {
        for (int k = 0; k < outputs; k++) {
            const float *a = &from[at];
            float *b = &to[tap + k * each];
            for (int c = 0; c < taps.c; c++) b[c] += gradient[of + k] * a[c];
        }
    });
    write(taps.type, dw, to, alpha, beta);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(
    cudnnHandle_t, cudnnBatchNormMode_t, cudnnBatchNormOps_t, const cudnnTensorDescriptor_t,
    const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnActivationDescriptor_t, size_t *bytes) {
    *bytes = WORKSPACE;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetBatchNormalizationBackwardExWorkspaceSize(
    cudnnHandle_t, cudnnBatchNormMode_t, cudnnBatchNormOps_t, const cudnnTensorDescriptor_t,
    const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t, const cudnnActivationDescriptor_t, size_t *bytes) {
    *bytes = WORKSPACE;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetBatchNormalizationTrainingExReserveSpaceSize(cudnnHandle_t, cudnnBatchNormMode_t,
                                                                   cudnnBatchNormOps_t,
                                                                   const cudnnActivationDescriptor_t,
                                                                   const cudnnTensorDescriptor_t, size_t *bytes) {
    *bytes = WORKSPACE;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBatchNormalizationForwardTrainingEx(
    cudnnHandle_t, cudnnBatchNormMode_t, cudnnBatchNormOps_t, const void *alpha, const void *beta,
    const cudnnTensorDescriptor_t x_of, const void *x, const cudnnTensorDescriptor_t, const void *,
    const cudnnTensorDescriptor_t y_of, void *y, const cudnnTensorDescriptor_t channels_of, const void *scale,
    const void *shift, double share, void *running_mean, void *running_variance, double epsilon, void *mean,
    void *inverse, cudnnActivationDescriptor_t, void *workspace, size_t bytes, void *reserve, size_t reserved) {
    Tensor &in = tensor(x_of);
    if (!roomy(workspace, bytes) || !roomy(reserve, reserved) || in.c != tensor(channels_of).c)
        return CUDNN_STATUS_BAD_PARAM;
    auto from = read(in.type, x, in.count());
    std::vector<float> to(in.count());
    size_t channels = (size_t)in.c, rows = in.count() / channels;
    for (size_t c = 0; c < channels; c++) {
        double middle = 0.0, apart = 0.0;
        for (size_t row = 0; row < rows; row++) middle += from[row * channels + c];
        middle /= (double)rows;
        for (size_t row = 0; row < rows; row++) {
            double distance = from[row * channels + c] - middle;
            apart += distance * distance;
        }
        double factor = 1.0 / std::sqrt(apart / (double)rows + epsilon);
        auto move = [&](void *running, double towards) {
            if (!running) return;
            float *place = static_cast<float *>(running) + c;
            *place = (float)((1.0 - share) * *place + share * towards);
        };
        move(running_mean, middle);
        move(running_variance, rows > 1 ? apart / (double)(rows - 1) : apart);
        static_cast<float *>(mean)[c] = (float)middle;
        static_cast<float *>(inverse)[c] = (float)factor;
        double gain = factor * static_cast<const float *>(scale)[c], base = static_cast<const float *>(shift)[c];
        for (size_t row = 0; row < rows; row++)
            to[row * channels + c] = (float)((from[row * channels + c] - middle) * gain + base);
    }
    write(tensor(y_of).type, y, to, alpha, beta);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBatchNormalizationBackwardEx(
    cudnnHandle_t, cudnnBatchNormMode_t, cudnnBatchNormOps_t, const void *alpha, const void *beta,
    const void *alpha_of_parameters, const void *beta_of_parameters, const cudnnTensorDescriptor_t x_of, const void *x,
    const cudnnTensorDescriptor_t, const void *, const cudnnTensorDescriptor_t dy_of, const void *dy,
    const cudnnTensorDescriptor_t, void *, const cudnnTensorDescriptor_t dx_of, void *dx,
    const cudnnTensorDescriptor_t channels_of, const void *scale, const void *, void *of_scale, void *of_shift,
    double, const void *mean, const void *inverse, cudnnActivationDescriptor_t, void *workspace, size_t bytes,
    void *reserve, size_t reserved) {
    Tensor &in = tensor(x_of);
    if (!roomy(workspace, bytes) || !reserve || reserved < WORKSPACE || in.c != tensor(channels_of).c)
        return CUDNN_STATUS_BAD_PARAM;
    auto from = read(in.type, x, in.count()), gradient = read(tensor(dy_of).type, dy, in.count());
    std::vector<float> to(in.count());
    size_t channels = (size_t)in.c, rows = in.count() / channels;
    std::vector<float> scales(channels), shifts(channels);
    for (size_t c = 0; c < channels; c++) {
        double middle = static_cast<const float *>(mean)[c], factor = static_cast<const float *>(inverse)[c];
        double shift_sum = 0.0, scale_sum = 0.0;
        for (size_t row = 0; row < rows; row++) {
            size_t at = row * channels + c;
            shift_sum += gradient[at];
            scale_sum += gradient[at] * (from[at] - middle) * factor;
        }
        scales[c] = (float)scale_sum;
        shifts[c] = (float)shift_sum;
        double gain = factor * static_cast<const float *>(scale)[c];
        for (size_t row = 0; row < rows; row++) {
            size_t at = row * channels + c;
            double normal = (from[at] - middle) * factor;
            to[at] = (float)(gain * (gradient[at] - (shift_sum + normal * scale_sum) / (double)rows));
        }
    }
    write(CUDNN_DATA_FLOAT, of_scale, scales, alpha_of_parameters, beta_of_parameters);
    write(CUDNN_DATA_FLOAT, of_shift, shifts, alpha_of_parameters, beta_of_parameters);
    write(tensor(dx_of).type, dx, to, alpha, beta);
    return CUDNN_STATUS_SUCCESS;
}
}
