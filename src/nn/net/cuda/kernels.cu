// pdsl's own kernels: everything on a network that is neither a convolution nor the statistics of a normalisation.
//
// Images lie channels-last, [image][place][channel], as float or as bf16. Every result is computed in one fixed order by
// one thread or one block, never with atomics, so that the same input gives the same bits. Arithmetic is in float or
// double; bf16 is only how activations are stored. A null pointer stands for an operand that is not there.
//
// The file is plain enough for a C++ compiler: tools/cuda/emulator runs the same text on a CPU.

typedef unsigned short bf16;
typedef unsigned long long count;

static __device__ inline float load(const float *from, count at) { return from[at]; }

static __device__ inline float load(const bf16 *from, count at) {
    union { unsigned bits; float value; } word;
    word.bits = (unsigned)from[at] << 16;
    return word.value;
}

static __device__ inline void store(float *to, count at, float value) { to[at] = value; }

// Rounds to the nearest bf16, ties to even; a NaN stays one.
static __device__ inline void store(bf16 *to, count at, float value) {
    union { unsigned bits; float value; } word;
    word.value = value;
    bool number = value == value;
    to[at] = number ? (bf16)((word.bits + 0x7fffu + (word.bits >> 16 & 1u)) >> 16) : (bf16)0x7fc0;
}

static __device__ inline float rectified(float value) { return value > 0.0f || value != value ? value : 0.0f; }

#define EACH(at, total)                                                                                                \
    for (count at = (count)blockIdx.x * blockDim.x + threadIdx.x; at < (total); at += (count)gridDim.x * blockDim.x)

// Turns [image][row][column] into [image][column][row].
template <class From, class To>
static __device__ void turn(const From *from, To *to, count rows, count columns, bool add, count total) {
    EACH(at, total) {
        count image = at / (rows * columns), within = at % (rows * columns);
        count column = within / rows, row = within % rows;
        float value = load(from, image * rows * columns + row * columns + column);
        store(to, at, add ? load(to, at) + value : value);
    }
}

template <class From, class To> static __device__ void convert(const From *from, To *to, count total) {
    EACH(at, total) { store(to, at, load(from, at)); }
}

// y = y + bias + other, rectified if asked to.
template <class T>
static __device__ void finish(T *y, const float *bias, const T *other, count channels, bool rectify, count total) {
    EACH(at, total) {
        float value = load(y, at);
        if (bias) value += bias[at % channels];
        if (other) value += load(other, at);
        store(y, at, rectify ? rectified(value) : value);
    }
}

// y = x + other, rectified if asked to.
template <class T> static __device__ void sum(const T *x, const T *other, T *y, bool rectify, count total) {
    EACH(at, total) {
        float value = load(x, at);
        if (other) value += load(other, at);
        store(y, at, rectify ? rectified(value) : value);
    }
}

// dx (+)= dy where y is positive; everywhere if there is no y. dx may be dy.
template <class T> static __device__ void pass(const T *y, const T *dy, T *dx, bool add, count total) {
    EACH(at, total) {
        float value = !y || load(y, at) > 0.0f ? load(dy, at) : 0.0f;
        store(dx, at, add ? load(dx, at) + value : value);
    }
}

struct Pool {
    unsigned channels, height, width, kernel, stride, pad, rows, columns;
};

struct Window {
    int top, bottom, left, right;
};

static __device__ inline Window window(const Pool &pool, unsigned row, unsigned column) {
    int top = (int)(row * pool.stride) - (int)pool.pad, left = (int)(column * pool.stride) - (int)pool.pad;
    int bottom = top + (int)pool.kernel, right = left + (int)pool.kernel;
    Window covered;
    covered.top = top > 0 ? top : 0;
    covered.left = left > 0 ? left : 0;
    covered.bottom = bottom < (int)pool.height ? bottom : (int)pool.height;
    covered.right = right < (int)pool.width ? right : (int)pool.width;
    return covered;
}

// An element of a channels-last image.
struct Place {
    count image;
    unsigned row, column, channel;
};

static __device__ inline Place place(count at, unsigned channels, unsigned columns, unsigned rows) {
    Place found;
    found.channel = (unsigned)(at % channels);
    at /= channels;
    found.column = (unsigned)(at % columns);
    at /= columns;
    found.row = (unsigned)(at % rows);
    found.image = at / rows;
    return found;
}

// The outputs whose windows cover an input, along one side: first and one past the last.
static __device__ inline void covering(const Pool &pool, unsigned at, unsigned outputs, unsigned *first, unsigned *end) {
    unsigned shifted = at + pool.pad;
    *first = shifted < pool.kernel ? 0 : (shifted - pool.kernel) / pool.stride + 1;
    unsigned past = shifted / pool.stride + 1;
    *end = past < outputs ? past : outputs;
}

static __device__ inline count element(const Pool &pool, count image, unsigned row, unsigned column, unsigned channel) {
    return ((image * pool.height + row) * pool.width + column) * pool.channels + channel;
}

// The first largest element of a window, row by row; a NaN is larger than any number.
template <class T>
static __device__ count winner(const T *x, const Pool &pool, count image, unsigned row, unsigned column, unsigned channel) {
    Window covered = window(pool, row, column);
    count best = element(pool, image, covered.top, covered.left, channel);
    float largest = load(x, best);
    for (int down = covered.top; down < covered.bottom; down++) {
        for (int right = covered.left; right < covered.right; right++) {
            count at = element(pool, image, down, right, channel);
            float value = load(x, at);
            if (value > largest || (value != value && largest == largest)) {
                largest = value;
                best = at;
            }
        }
    }
    return best;
}

template <class T> static __device__ void maximum(const T *x, T *y, Pool pool, count total) {
    EACH(at, total) {
        Place to = place(at, pool.channels, pool.columns, pool.rows);
        store(y, at, load(x, winner(x, pool, to.image, to.row, to.column, to.channel)));
    }
}

// Every input asks the windows over it whether it won them.
template <class T>
static __device__ void maximum_gradient(const T *x, const T *dy, T *dx, Pool pool, bool add, count total) {
    EACH(at, total) {
        Place from = place(at, pool.channels, pool.width, pool.height);
        unsigned top, bottom, left, right;
        covering(pool, from.row, pool.rows, &top, &bottom);
        covering(pool, from.column, pool.columns, &left, &right);
        float total_of = 0.0f;
        for (unsigned row = top; row < bottom; row++) {
            for (unsigned column = left; column < right; column++) {
                if (winner(x, pool, from.image, row, column, from.channel) == at) {
                    count output = (from.image * pool.rows + row) * pool.columns + column;
                    total_of += load(dy, output * pool.channels + from.channel);
                }
            }
        }
        store(dx, at, add ? load(dx, at) + total_of : total_of);
    }
}

// The mean of every window; its border counts as zeros.
template <class T> static __device__ void mean(const T *x, T *y, Pool pool, count total) {
    float share = 1.0f / (float)(pool.kernel * pool.kernel);
    EACH(at, total) {
        Place to = place(at, pool.channels, pool.columns, pool.rows);
        Window covered = window(pool, to.row, to.column);
        float total_of = 0.0f;
        for (int down = covered.top; down < covered.bottom; down++)
            for (int right = covered.left; right < covered.right; right++)
                total_of += load(x, element(pool, to.image, down, right, to.channel));
        store(y, at, total_of * share);
    }
}

template <class T> static __device__ void mean_gradient(const T *dy, T *dx, Pool pool, bool add, count total) {
    float share = 1.0f / (float)(pool.kernel * pool.kernel);
    EACH(at, total) {
        Place from = place(at, pool.channels, pool.width, pool.height);
        unsigned top, bottom, left, right;
        covering(pool, from.row, pool.rows, &top, &bottom);
        covering(pool, from.column, pool.columns, &left, &right);
        float total_of = 0.0f;
        for (unsigned row = top; row < bottom; row++)
            for (unsigned column = left; column < right; column++) {
                count output = (from.image * pool.rows + row) * pool.columns + column;
                total_of += load(dy, output * pool.channels + from.channel) * share;
            }
        store(dx, at, add ? load(dx, at) + total_of : total_of);
    }
}

// The mean over all places of every image and channel.
template <class T> static __device__ void global_mean(const T *x, T *y, count places, count channels, count total) {
    EACH(at, total) {
        count image = at / channels, channel = at % channels;
        float total_of = 0.0f;
        for (count place = 0; place < places; place++)
            total_of += load(x, (image * places + place) * channels + channel);
        store(y, at, total_of / (float)places);
    }
}

template <class T>
static __device__ void global_mean_gradient(const T *dy, T *dx, count places, count channels, bool add, count total) {
    float share = 1.0f / (float)places;
    EACH(at, total) {
        count image = at / (places * channels), channel = at % channels;
        float value = load(dy, image * channels + channel) * share;
        store(dx, at, add ? load(dx, at) + value : value);
    }
}

// Sums of each column over blocks of rows; `column_totals` adds the blocks in order.
template <class T>
static __device__ void column_partials(const T *from, float *partial, count rows, count channels, count block, count total) {
    EACH(at, total) {
        count nth = at / channels, channel = at % channels;
        count end = (nth + 1) * block < rows ? (nth + 1) * block : rows;
        float total_of = 0.0f;
        for (count row = nth * block; row < end; row++) total_of += load(from, row * channels + channel);
        partial[at] = total_of;
    }
}

// Mean and sum of squared differences of each column over blocks of rows.
template <class T>
static __device__ void moments(const T *from, float *means, float *squares, count rows, count channels, count block,
                               count total) {
    EACH(at, total) {
        count nth = at / channels, channel = at % channels;
        count first = nth * block, end = first + block < rows ? first + block : rows;
        float total_of = 0.0f, apart = 0.0f;
        for (count row = first; row < end; row++) total_of += load(from, row * channels + channel);
        float mean_of = total_of / (float)(end - first);
        for (count row = first; row < end; row++) {
            float distance = load(from, row * channels + channel) - mean_of;
            apart += distance * distance;
        }
        means[at] = mean_of;
        squares[at] = apart;
    }
}

// y = (x - mean) inverse scale + shift + other, rectified if asked to.
template <class T>
static __device__ void normalise(const T *x, const T *other, T *y, const float *mean_of, const float *inverse,
                                 const float *scale, const float *shift, count channels, bool rectify, count total) {
    EACH(at, total) {
        count channel = at % channels;
        float value = (load(x, at) - mean_of[channel]) * (inverse[channel] * scale[channel]) + shift[channel];
        if (other) value += load(other, at);
        store(y, at, rectify ? rectified(value) : value);
    }
}

// Sums of dy and of dy times the normalised x over blocks of rows.
template <class T>
static __device__ void normalise_partials(const T *x, const T *dy, const float *mean_of, const float *inverse,
                                          float *shifts, float *scales, count rows, count channels, count block,
                                          count total) {
    EACH(at, total) {
        count nth = at / channels, channel = at % channels;
        count end = (nth + 1) * block < rows ? (nth + 1) * block : rows;
        float of_shift = 0.0f, of_scale = 0.0f, middle = mean_of[channel], factor = inverse[channel];
        for (count row = nth * block; row < end; row++) {
            float value = load(dy, row * channels + channel);
            of_shift += value;
            of_scale += value * ((load(x, row * channels + channel) - middle) * factor);
        }
        shifts[at] = of_shift;
        scales[at] = of_scale;
    }
}

// dx (+)= the gradient through a normalisation by the batch's own statistics, or by `fixed` ones.
template <class T>
static __device__ void normalise_gradient(const T *x, const T *dy, T *dx, const float *mean_of, const float *inverse,
                                          const float *scale, const float *of_scale, const float *of_shift, count rows,
                                          count channels, bool fixed, bool add, count total) {
    EACH(at, total) {
        count channel = at % channels;
        float normal = (load(x, at) - mean_of[channel]) * inverse[channel];
        float mean_share = fixed ? 0.0f : (of_shift[channel] + normal * of_scale[channel]) / (float)rows;
        float value = scale[channel] * inverse[channel] * (load(dy, at) - mean_share);
        store(dx, at, add ? load(dx, at) + value : value);
    }
}

// Weights and constants of a convolution with a normalisation by running statistics behind it.
template <class T>
static __device__ void fold(const float *weights, const float *bias, const float *scale, const float *shift,
                            const float *mean_of, const float *variance, double epsilon, count each, T *folded,
                            float *constants, count total) {
    EACH(at, total) {
        count channel = at / each;
        double factor = (double)scale[channel] / sqrt((double)variance[channel] + epsilon);
        store(folded, at, (float)((double)weights[at] * factor));
        if (at % each == 0) {
            double before = bias ? (double)bias[channel] : 0.0;
            constants[channel] = (float)((before - (double)mean_of[channel]) * factor + (double)shift[channel]);
        }
    }
}

#define LANES 128

// Reduces one value per thread to one, always in the same order.
template <class Join> static __device__ double reduced(double value, double *lanes, Join join) {
    lanes[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = LANES / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) lanes[threadIdx.x] = join(lanes[threadIdx.x], lanes[threadIdx.x + half]);
        __syncthreads();
    }
    double result = lanes[0];
    __syncthreads();
    return result;
}

struct Larger {
    __device__ double operator()(double a, double b) const { return b > a ? b : a; }
};

struct Added {
    __device__ double operator()(double a, double b) const { return a + b; }
};

// Loss and hits (1: the class is first, 2: among the first five) of one image per block; the gradient of the mean loss
// over `images` images. Among equal outputs the lower class wins.
template <class T>
static __device__ void cross_entropy(const T *logits, const int *labels, count classes, double smoothing, double images,
                                     double *losses, int *hits, T *gradient, double *lanes) {
    const T *row = logits + (count)blockIdx.x * classes;
    count label = (count)labels[blockIdx.x];
    double largest = -INFINITY, before = 0.0, total = 0.0, all = 0.0;
    float own = load(row, label);
    for (count at = threadIdx.x; at < classes; at += LANES) {
        float value = load(row, at);
        if ((double)value > largest) largest = (double)value;
        all += (double)value;
        before += value > own || (value == own && at < label) ? 1.0 : 0.0;
    }
    largest = reduced(largest, lanes, Larger());
    all = reduced(all, lanes, Added());
    before = reduced(before, lanes, Added());
    for (count at = threadIdx.x; at < classes; at += LANES) total += exp((double)load(row, at) - largest);
    total = reduced(total, lanes, Added());
    double log_total = log(total) + largest, even = smoothing / (double)classes;
    if (threadIdx.x == 0) {
        double of_label = log_total - (double)own, of_all = log_total * (double)classes - all;
        losses[blockIdx.x] = (1.0 - smoothing) * of_label + even * of_all;
        bool number = own == own;
        hits[blockIdx.x] = (number && before < 0.5 ? 1 : 0) + (number && before < 4.5 ? 2 : 0);
    }
    if (!gradient) return;
    for (count at = threadIdx.x; at < classes; at += LANES) {
        double target = even + (at == label ? 1.0 - smoothing : 0.0);
        double value = (exp((double)load(row, at) - log_total) - target) / images;
        store(gradient, (count)blockIdx.x * classes + at, (float)value);
    }
}

#define FOR_TYPE(T, NAME)                                                                                              \
    extern "C" __global__ void turn_##NAME(const T *from, T *to, count rows, count columns, int add, count total) {    \
        turn(from, to, rows, columns, add, total);                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void images_##NAME(const float *from, T *to, count rows, count columns, count total) {       \
        turn(from, to, rows, columns, false, total);                                                                   \
    }                                                                                                                  \
    extern "C" __global__ void finish_##NAME(T *y, const float *bias, const T *other, count channels, int rectify,     \
                                             count total) {                                                            \
        finish(y, bias, other, channels, rectify, total);                                                              \
    }                                                                                                                  \
    extern "C" __global__ void sum_##NAME(const T *x, const T *other, T *y, int rectify, count total) {                \
        sum(x, other, y, rectify, total);                                                                              \
    }                                                                                                                  \
    extern "C" __global__ void pass_##NAME(const T *y, const T *dy, T *dx, int add, count total) {                     \
        pass(y, dy, dx, add, total);                                                                                   \
    }                                                                                                                  \
    extern "C" __global__ void maximum_##NAME(const T *x, T *y, Pool pool, count total) { maximum(x, y, pool, total); } \
    extern "C" __global__ void maximum_gradient_##NAME(const T *x, const T *dy, T *dx, Pool pool, int add,             \
                                                       count total) {                                                  \
        maximum_gradient(x, dy, dx, pool, add, total);                                                                 \
    }                                                                                                                  \
    extern "C" __global__ void mean_##NAME(const T *x, T *y, Pool pool, count total) { mean(x, y, pool, total); }      \
    extern "C" __global__ void mean_gradient_##NAME(const T *dy, T *dx, Pool pool, int add, count total) {             \
        mean_gradient(dy, dx, pool, add, total);                                                                       \
    }                                                                                                                  \
    extern "C" __global__ void global_mean_##NAME(const T *x, T *y, count places, count channels, count total) {       \
        global_mean(x, y, places, channels, total);                                                                    \
    }                                                                                                                  \
    extern "C" __global__ void global_mean_gradient_##NAME(const T *dy, T *dx, count places, count channels, int add,  \
                                                           count total) {                                              \
        global_mean_gradient(dy, dx, places, channels, add, total);                                                    \
    }                                                                                                                  \
    extern "C" __global__ void column_partials_##NAME(const T *from, float *partial, count rows, count channels,       \
                                                      count block, count total) {                                      \
        column_partials(from, partial, rows, channels, block, total);                                                  \
    }                                                                                                                  \
    extern "C" __global__ void moments_##NAME(const T *from, float *means, float *squares, count rows, count channels,  \
                                              count block, count total) {                                              \
        moments(from, means, squares, rows, channels, block, total);                                                   \
    }                                                                                                                  \
    extern "C" __global__ void normalise_##NAME(const T *x, const T *other, T *y, const float *mean_of,                \
                                                const float *inverse, const float *scale, const float *shift,          \
                                                count channels, int rectify, count total) {                            \
        normalise(x, other, y, mean_of, inverse, scale, shift, channels, rectify, total);                              \
    }                                                                                                                  \
    extern "C" __global__ void normalise_partials_##NAME(const T *x, const T *dy, const float *mean_of,                \
                                                         const float *inverse, float *shifts, float *scales,           \
                                                         count rows, count channels, count block, count total) {       \
        normalise_partials(x, dy, mean_of, inverse, shifts, scales, rows, channels, block, total);                     \
    }                                                                                                                  \
    extern "C" __global__ void normalise_gradient_##NAME(                                                              \
        const T *x, const T *dy, T *dx, const float *mean_of, const float *inverse, const float *scale,                \
        const float *of_scale, const float *of_shift, count rows, count channels, int fixed, int add, count total) {   \
        normalise_gradient(x, dy, dx, mean_of, inverse, scale, of_scale, of_shift, rows, channels, fixed, add, total); \
    }                                                                                                                  \
    extern "C" __global__ void fold_##NAME(const float *weights, const float *bias, const float *scale,                \
                                           const float *shift, const float *mean_of, const float *variance,            \
                                           double epsilon, count each, T *folded, float *constants, count total) {     \
        fold(weights, bias, scale, shift, mean_of, variance, epsilon, each, folded, constants, total);                 \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_##NAME(const T *logits, const int *labels, count classes,                 \
                                                    double smoothing, double images, double *losses, int *hits,        \
                                                    T *gradient) {                                                     \
        __shared__ double lanes[LANES];                                                                                \
        cross_entropy(logits, labels, classes, smoothing, images, losses, hits, gradient, lanes);                      \
    }

FOR_TYPE(float, f32)
FOR_TYPE(bf16, bf16)

extern "C" __global__ void narrow(const float *from, bf16 *to, count total) { convert(from, to, total); }

extern "C" __global__ void widen(const bf16 *from, float *to, count total) { convert(from, to, total); }

// Adds blocks of column sums; one block of threads per column.
extern "C" __global__ void column_totals(const float *partial, float *to, count blocks, count channels) {
    __shared__ double lanes[LANES];
    count channel = blockIdx.x;
    double total_of = 0.0;
    for (count nth = threadIdx.x; nth < blocks; nth += LANES) total_of += (double)partial[nth * channels + channel];
    total_of = reduced(total_of, lanes, Added());
    if (threadIdx.x == 0) to[channel] = (float)total_of;
}

// Joins the moments of blocks of rows; one block of threads per column. Running statistics move by `share` towards the
// batch's, the variance without bias.
extern "C" __global__ void join_moments(const float *means, const float *squares, count blocks, count channels, count rows,
                                        count block, double epsilon, float share, float *mean_of, float *inverse,
                                        float *running_mean, float *running_variance) {
    __shared__ double lanes[LANES];
    count channel = blockIdx.x;
    double middle = 0.0, apart = 0.0;
    for (count nth = threadIdx.x; nth < blocks; nth += LANES) {
        count size = nth + 1 < blocks ? block : rows - nth * block;
        middle += (double)size * (double)means[nth * channels + channel];
    }
    middle = reduced(middle, lanes, Added()) / (double)rows;
    for (count nth = threadIdx.x; nth < blocks; nth += LANES) {
        count size = nth + 1 < blocks ? block : rows - nth * block;
        double distance = (double)means[nth * channels + channel] - middle;
        apart += (double)squares[nth * channels + channel] + (double)size * distance * distance;
    }
    apart = reduced(apart, lanes, Added());
    if (threadIdx.x != 0) return;
    double unbiased = rows > 1 ? apart / (double)(rows - 1) : apart;
    mean_of[channel] = (float)middle;
    inverse[channel] = (float)(1.0 / sqrt(apart / (double)rows + epsilon));
    running_mean[channel] = (1.0f - share) * running_mean[channel] + share * (float)middle;
    running_variance[channel] = (1.0f - share) * running_variance[channel] + share * (float)unbiased;
}

extern "C" __global__ void inverse_roots(const float *variance, double epsilon, float *inverse, count total) {
    EACH(at, total) { inverse[at] = (float)(1.0 / sqrt((double)variance[at] + epsilon)); }
}

// v = momentum v + g + decay w, w = w - rate v (with Nesterov - rate (g + decay w + momentum v)); both exactly 0 where an
// element is not kept. The copy is what the convolutions read.
extern "C" __global__ void descend(float *values, const float *gradient, float *velocity, const unsigned char *kept,
                                   bf16 *copy, float rate, float momentum, int nesterov, float decay, count total) {
    EACH(at, total) {
        bool stays = !kept || kept[at];
        float w = values[at], g = gradient[at] + decay * w;
        float v = momentum * velocity[at] + g;
        w -= rate * (nesterov ? g + momentum * v : v);
        w = stays ? w : 0.0f;
        values[at] = w;
        velocity[at] = stays ? v : 0.0f;
        if (copy) store(copy, at, w);
    }
}

// AdamW: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g g, w = keep w - rate m / (spread sqrt v + epsilon); all
// exactly 0 where an element is not kept.
extern "C" __global__ void adapt(float *values, const float *gradient, float *first, float *second,
                                 const unsigned char *kept, bf16 *copy, float keep, float beta1, float beta2,
                                 float epsilon, float rate, float spread, count total) {
    EACH(at, total) {
        bool stays = !kept || kept[at];
        float g = gradient[at];
        float m = beta1 * first[at] + (1.0f - beta1) * g;
        float v = beta2 * second[at] + (1.0f - beta2) * g * g;
        float w = keep * values[at] - rate * m / (spread * sqrtf(v) + epsilon);
        w = stays ? w : 0.0f;
        values[at] = w;
        first[at] = stays ? m : 0.0f;
        second[at] = stays ? v : 0.0f;
        if (copy) store(copy, at, w);
    }
}
