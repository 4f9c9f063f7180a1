// The Vulkan calls that the Go binding lacks (everything after 1.1.88) or that
// it makes unsafely (every call that takes a slice of structs or of strings;
// see RATIONALE.md). All arrays are the caller's and are only read or filled
// during the call.
#ifndef GAZE_SHIM_H
#define GAZE_SHIM_H

#define VK_NO_PROTOTYPES
#include "vulkan_core.h"

#define GAZE_INSTANCE_FUNCTIONS(F) \
	F(DestroyInstance) F(GetPhysicalDeviceProperties2) F(GetPhysicalDeviceFeatures2) \
	F(GetPhysicalDeviceQueueFamilyProperties) F(EnumerateDeviceExtensionProperties) F(CreateDevice) \
	F(QueueSubmit) F(UpdateDescriptorSets) F(CmdPipelineBarrier) F(CmdCopyBuffer) F(CmdDispatch) F(CmdDispatchBase) \
	F(CreateComputePipelines) F(CreateDescriptorSetLayout) F(CreatePipelineLayout) F(CreateDescriptorPool) F(AllocateDescriptorSets) \
	F(CreateBufferView) F(DestroyBufferView) F(FlushMappedMemoryRanges) F(InvalidateMappedMemoryRanges) \
	F(GetPhysicalDeviceExternalBufferProperties) F(CreateBuffer) F(AllocateMemory)
#define GAZE_OPTIONAL_FUNCTIONS(F) \
	F(CreateDebugUtilsMessengerEXT) F(DestroyDebugUtilsMessengerEXT) \
	F(GetPhysicalDeviceCooperativeMatrixPropertiesKHR) \
	F(GetPipelineExecutablePropertiesKHR) F(GetPipelineExecutableStatisticsKHR) F(GetMemoryFdKHR)

// What a presenter needs; NULL unless the instance was made with the extensions of a surface. The Go binding looks such
// functions up once for the whole process, in an instance that may lack them.
#define GAZE_SURFACE_FUNCTIONS(F) \
	F(DestroySurfaceKHR) F(GetPhysicalDeviceSurfaceSupportKHR) F(GetPhysicalDeviceSurfaceCapabilitiesKHR) F(GetPhysicalDeviceSurfaceFormatsKHR) \
	F(CreateSwapchainKHR) F(DestroySwapchainKHR) F(GetSwapchainImagesKHR) F(AcquireNextImageKHR) F(QueuePresentKHR) \
	F(CreateSemaphore) F(DestroySemaphore) F(CmdCopyBufferToImage) F(CreateRenderPass) F(DestroyRenderPass) F(CreateGraphicsPipelines) F(CreateImageView) \
	F(DestroyImageView) F(CreateFramebuffer) F(DestroyFramebuffer) F(CmdBeginRenderPass) F(CmdEndRenderPass) F(CmdBindPipeline) \
	F(CmdBindDescriptorSets) F(CmdPushConstants) F(CmdSetViewport) F(CmdSetScissor) F(CmdDraw)

// Puts *link in front of the chain that starts at *head.
static inline void gaze_chain(const void **head, void *link) {
	((VkBaseOutStructure *)link)->pNext = (VkBaseOutStructure *)*head;
	*head = link;
}

// The functions of one instance.
typedef struct {
	VkInstance instance;
	VkDebugUtilsMessengerEXT messenger;
	uint32_t api; // the version asked for
#define F(name) PFN_vk##name name;
	GAZE_INSTANCE_FUNCTIONS(F) GAZE_OPTIONAL_FUNCTIONS(F) GAZE_SURFACE_FUNCTIONS(F)
#undef F
} gaze_instance;

// Opens that library for good and returns its vkGetInstanceProcAddr, or NULL.
PFN_vkGetInstanceProcAddr gaze_open_loader(const char *name);

// Creates an instance that asks for Vulkan api, with the validation layer and its synchronization validation if asked.
// debug_id != 0 sends debug messages to gazeDebugMessage(debug_id, ...). The count names are further extensions, those of
// a surface; at most GAZE_MAX_NAMES. On failure out->instance is NULL.
enum { GAZE_MAX_NAMES = 8 };
VkResult gaze_create_instance(PFN_vkGetInstanceProcAddr get, uint32_t api, int validate, uintptr_t debug_id, uint32_t count, char *const *names,
    gaze_instance *out);
void gaze_destroy_instance(gaze_instance *instance);
uint32_t gaze_instance_version(PFN_vkGetInstanceProcAddr get);
int gaze_has_layer(PFN_vkGetInstanceProcAddr get, const char *name);

typedef struct {
	char name[256], driver_name[256], driver_info[256];
	uint32_t type, vendor, device, driver_version, driver_id;
	uint32_t api, version; // the device's, and the part of it that may be used
	int32_t family;        // the queue family to use, or -1
	uint32_t timestamp_bits;
	uint8_t cache_uuid[16], device_uuid[16], driver_uuid[16];
	uint64_t max_storage_range, max_allocation, max_buffer, storage_alignment, texel_alignment, atom_size;
	uint32_t max_push, max_shared, max_invocations, max_group_size[3], max_group_count[3], max_allocations, max_storage_buffers, max_texels;
	float timestamp_period;
	uint32_t cores; // 0 where the driver does not tell
	uint32_t subgroup_size, subgroup_min, subgroup_max, subgroup_operations, subgroup_in_compute;
	uint32_t float16, storage16, int8, storage8, size_control, full_subgroups, cooperative_matrix, matrix_reductions, memory_model,
	    robust_access, executable_properties, portability, integer_dot, shared_memory;
} gaze_properties;

int gaze_has_device_extension(gaze_instance *instance, VkPhysicalDevice adapter, const char *name);
void gaze_get_properties(gaze_instance *instance, VkPhysicalDevice adapter, gaze_properties *out);
// Fills at most count shapes; returns how many there are.
uint32_t gaze_matrix_shapes(gaze_instance *instance, VkPhysicalDevice adapter, VkCooperativeMatrixPropertiesKHR *out, uint32_t count);
// Creates a device with one queue of family p->family and every feature that p names, and with swapchains if asked.
VkResult gaze_create_device(gaze_instance *instance, VkPhysicalDevice adapter, const gaze_properties *p, int swapchains, VkDevice *out);

enum { GAZE_MAX_BINDINGS = 32, GAZE_MAX_CONSTANTS = 64 };
// Bit i of texels says that binding i is a uniform texel buffer, and not a storage buffer.
VkResult gaze_create_set_layout(gaze_instance *instance, VkDevice device, VkShaderStageFlags stages, uint32_t bindings, uint32_t texels,
    VkDescriptorSetLayout *out);
VkResult gaze_create_pipeline_layout(gaze_instance *instance, VkDevice device, VkShaderStageFlags stages, VkDescriptorSetLayout set, uint32_t push,
    VkPipelineLayout *out);
// constants: count pairs of (id, 32-bit value). subgroup 0: the driver's choice.
VkResult gaze_create_pipeline(gaze_instance *instance, VkDevice device, VkPipelineCache cache, VkPipelineLayout layout, VkShaderModule module,
    uint32_t count, const uint32_t *constants, uint32_t subgroup, int full_subgroups, int statistics, VkPipeline *out);

typedef struct {
	char name[256];
	double value;
} gaze_statistic;
// Fills at most count statistics of the pipeline's first executable; returns how many were filled.
uint32_t gaze_pipeline_statistics(gaze_instance *instance, VkDevice device, VkPipeline pipeline, gaze_statistic *out, uint32_t count);

// For so many sets with so many buffers in all, of one kind or of both.
VkResult gaze_create_descriptor_pool(gaze_instance *instance, VkDevice device, uint32_t sets, uint32_t buffers, VkDescriptorPool *out);
VkResult gaze_allocate_set(gaze_instance *instance, VkDevice device, VkDescriptorPool pool, VkDescriptorSetLayout layout, VkDescriptorSet *out);
// Binding i is the texel buffer views[i], or buffers[i] where that is VK_NULL_HANDLE; at most GAZE_MAX_BINDINGS.
void gaze_write_set(gaze_instance *instance, VkDevice device, VkDescriptorSet set, uint32_t count, const VkDescriptorBufferInfo *buffers,
    const VkBufferView *views);
VkResult gaze_create_buffer_view(gaze_instance *instance, VkDevice device, VkBuffer buffer, VkFormat format, uint64_t offset, uint64_t size,
    VkBufferView *out);
void gaze_destroy_buffer_view(gaze_instance *instance, VkDevice device, VkBufferView view);
void gaze_barrier(gaze_instance *instance, VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags used);
void gaze_copy(gaze_instance *instance, VkCommandBuffer commands, VkBuffer from, uint64_t from_offset, VkBuffer to, uint64_t to_offset, uint64_t size);
void gaze_dispatch(gaze_instance *instance, VkCommandBuffer commands, const uint32_t base[3], const uint32_t groups[3]);
// wait, unless VK_NULL_HANDLE, is waited for before the first transfer; signal, likewise, is signalled at the end.
VkResult gaze_submit(gaze_instance *instance, VkQueue queue, VkCommandBuffer commands, VkSemaphore wait, VkSemaphore signal, VkFence fence);
VkResult gaze_flush(gaze_instance *instance, VkDevice device, VkDeviceMemory memory, uint64_t offset, uint64_t size, int invalidate);

// What every buffer may be used for.
enum { GAZE_BUFFER_USAGE = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
	VK_BUFFER_USAGE_TRANSFER_DST_BIT };
// A buffer whose memory two devices may have, by an opaque file descriptor. Of both, all arguments must be the same.
VkResult gaze_create_shared_buffer(gaze_instance *instance, VkDevice device, uint64_t size, VkBuffer *out);
// Allocates the memory of such a buffer: new memory where fd is -1, else the memory that fd stands for, and fd is the driver's
// unless that fails.
VkResult gaze_allocate_shared(gaze_instance *instance, VkDevice device, VkBuffer buffer, uint64_t size, uint32_t type, int fd, VkDeviceMemory *out);
VkResult gaze_get_memory_fd(gaze_instance *instance, VkDevice device, VkDeviceMemory memory, int *out);
// Returns another descriptor of the same, or -1 and sets errno.
int gaze_duplicate_fd(int fd);
void gaze_close_fd(int fd);

typedef struct {
	uint32_t width, height; // UINT32_MAX: whatever the swapchain has
	uint32_t min_width, min_height, max_width, max_height;
	uint32_t images, transform, alpha; // for VkSwapchainCreateInfoKHR
	VkFormat format;                   // R8G8B8A8 or B8G8R8A8 as sRGB, or UNDEFINED where the surface has neither
} gaze_surface;

// Sets *family to one that draws and presents to the surface, or to -1.
VkResult gaze_present_family(gaze_instance *instance, VkPhysicalDevice adapter, VkSurfaceKHR surface, int32_t *family);
VkResult gaze_get_surface(gaze_instance *instance, VkPhysicalDevice adapter, VkSurfaceKHR surface, gaze_surface *out);
VkResult gaze_create_swapchain(gaze_instance *instance, VkDevice device, VkSurfaceKHR surface, const gaze_surface *s, VkSwapchainKHR old, VkSwapchainKHR *out);
// Fills at most *count images and sets *count to how many were filled.
VkResult gaze_swapchain_images(gaze_instance *instance, VkDevice device, VkSwapchainKHR swapchain, uint32_t *count, VkImage *out);
VkResult gaze_create_semaphore(gaze_instance *instance, VkDevice device, VkSemaphore *out);
VkResult gaze_acquire(gaze_instance *instance, VkDevice device, VkSwapchainKHR swapchain, uint64_t nanoseconds, VkSemaphore signal, uint32_t *index);
VkResult gaze_present(gaze_instance *instance, VkQueue queue, VkSwapchainKHR swapchain, uint32_t index, VkSemaphore wait);
void gaze_destroy_semaphore(gaze_instance *instance, VkDevice device, VkSemaphore semaphore);
void gaze_destroy_swapchain(gaze_instance *instance, VkDevice device, VkSwapchainKHR swapchain);
void gaze_destroy_surface(gaze_instance *instance, VkSurfaceKHR surface);

enum { GAZE_FRAME_STAGES = VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT, GAZE_FRAME_PUSH = 3 };
// Records the copy of a whole image, rows without gaps, to be drawn over.
void gaze_copy_to_image(gaze_instance *instance, VkCommandBuffer commands, VkBuffer from, VkImage to, uint32_t width, uint32_t height);
// A pass over one image, which is for the display after it.
VkResult gaze_create_render_pass(gaze_instance *instance, VkDevice device, VkFormat format, VkRenderPass *out);
VkResult gaze_create_frame_pipeline(gaze_instance *instance, VkDevice device, VkRenderPass pass, VkPipelineLayout layout, VkShaderModule vertex,
    VkShaderModule fragment, VkPipeline *out);
VkResult gaze_create_image_view(gaze_instance *instance, VkDevice device, VkImage image, VkFormat format, VkImageView *out);
VkResult gaze_create_framebuffer(gaze_instance *instance, VkDevice device, VkRenderPass pass, VkImageView view, uint32_t width, uint32_t height,
    VkFramebuffer *out);
// Records the pass: count instances, or none, of a strip of four corners.
void gaze_draw(gaze_instance *instance, VkCommandBuffer commands, VkRenderPass pass, VkFramebuffer to, uint32_t width, uint32_t height,
    VkPipeline pipeline, VkPipelineLayout layout, VkDescriptorSet set, const uint32_t push[GAZE_FRAME_PUSH], uint32_t count);
// What is VK_NULL_HANDLE is left alone.
void gaze_destroy_target(gaze_instance *instance, VkDevice device, VkFramebuffer framebuffer, VkImageView view);
void gaze_destroy_render_pass(gaze_instance *instance, VkDevice device, VkRenderPass pass);

#endif
