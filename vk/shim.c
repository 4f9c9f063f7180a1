#include "shim.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

#if defined(_WIN32)
#include <windows.h>
PFN_vkGetInstanceProcAddr gaze_open_loader(void) {
	HMODULE library = LoadLibraryA("vulkan-1.dll");
	return library ? (PFN_vkGetInstanceProcAddr)(void *)GetProcAddress(library, "vkGetInstanceProcAddr") : NULL;
}
#else
#include <dlfcn.h>
PFN_vkGetInstanceProcAddr gaze_open_loader(void) {
	// libvulkan.so alone exists only where a development package is installed.
	static const char *const names[] = {
#if defined(__APPLE__)
		"libvulkan.dylib", "libvulkan.1.dylib", "/opt/homebrew/lib/libvulkan.1.dylib", "/usr/local/lib/libvulkan.1.dylib", "libMoltenVK.dylib",
#else
		"libvulkan.so.1", "libvulkan.so",
#endif
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
		void *symbol = library ? dlsym(library, "vkGetInstanceProcAddr") : NULL;
		if (symbol) return (PFN_vkGetInstanceProcAddr)symbol;
	}
	return NULL;
}
#endif

// push puts *link in front of the chain that starts at *head.
static void push(const void **head, void *link) {
	((VkBaseOutStructure *)link)->pNext = (VkBaseOutStructure *)*head;
	*head = link;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL debug_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT type,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *id) {
	(void)type;
	gazeDebugMessage((uintptr_t)id, (int)severity, (char *)(data->pMessageIdName ? data->pMessageIdName : ""), (char *)(data->pMessage ? data->pMessage : ""));
	return VK_FALSE;
}

uint32_t gaze_instance_version(PFN_vkGetInstanceProcAddr get) {
	PFN_vkEnumerateInstanceVersion enumerate = (PFN_vkEnumerateInstanceVersion)get(NULL, "vkEnumerateInstanceVersion");
	uint32_t version = VK_API_VERSION_1_0;
	if (enumerate) enumerate(&version);
	return version;
}

int gaze_has_layer(PFN_vkGetInstanceProcAddr get, const char *name) {
	PFN_vkEnumerateInstanceLayerProperties enumerate = (PFN_vkEnumerateInstanceLayerProperties)get(NULL, "vkEnumerateInstanceLayerProperties");
	uint32_t count = 0;
	if (!enumerate || enumerate(&count, NULL) < 0 || !count) return 0;
	VkLayerProperties *layers = calloc(count, sizeof *layers);
	int found = 0;
	if (layers && enumerate(&count, layers) >= 0)
		for (uint32_t i = 0; i < count; i++) found |= !strcmp(layers[i].layerName, name);
	free(layers);
	return found;
}

static int has_instance_extension(PFN_vkGetInstanceProcAddr get, const char *layer, const char *name) {
	PFN_vkEnumerateInstanceExtensionProperties enumerate =
	    (PFN_vkEnumerateInstanceExtensionProperties)get(NULL, "vkEnumerateInstanceExtensionProperties");
	uint32_t count = 0;
	if (!enumerate || enumerate(layer, &count, NULL) < 0 || !count) return 0;
	VkExtensionProperties *list = calloc(count, sizeof *list);
	int found = 0;
	if (list && enumerate(layer, &count, list) >= 0)
		for (uint32_t i = 0; i < count; i++) found |= !strcmp(list[i].extensionName, name);
	free(list);
	return found;
}

VkResult gaze_create_instance(PFN_vkGetInstanceProcAddr get, uint32_t api, int validate, uintptr_t debug_id, gaze_instance *out) {
	static const char layer[] = "VK_LAYER_KHRONOS_validation";
	const char *layers[1], *extensions[4];
	VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO, NULL, "gaze", 1, "gaze", 1, api};
	VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
	info.pApplicationInfo = &application;
	info.ppEnabledLayerNames = layers;
	info.ppEnabledExtensionNames = extensions;

	VkDebugUtilsMessengerCreateInfoEXT messenger = {VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
	messenger.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
	messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
	    VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
	messenger.pfnUserCallback = debug_message;
	messenger.pUserData = (void *)debug_id;
	int debug = debug_id && (has_instance_extension(get, NULL, VK_EXT_DEBUG_UTILS_EXTENSION_NAME) ||
	    (validate && has_instance_extension(get, layer, VK_EXT_DEBUG_UTILS_EXTENSION_NAME)));
	if (debug) {
		extensions[info.enabledExtensionCount++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
		push(&info.pNext, &messenger);
	}
	VkValidationFeatureEnableEXT enables[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
	VkValidationFeaturesEXT features = {VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, NULL, 1, enables, 0, NULL};
	if (validate & GAZE_VALIDATE) {
		layers[info.enabledLayerCount++] = layer;
		if (validate & GAZE_VALIDATE_SYNC) {
			if (has_instance_extension(get, layer, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME))
				extensions[info.enabledExtensionCount++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
			push(&info.pNext, &features);
		}
	}
	if (has_instance_extension(get, NULL, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {
		// Without this a loader hides MoltenVK.
		extensions[info.enabledExtensionCount++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
		info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
	}

	PFN_vkCreateInstance create = (PFN_vkCreateInstance)get(NULL, "vkCreateInstance");
	if (!create) return VK_ERROR_INITIALIZATION_FAILED;
	memset(out, 0, sizeof *out);
	VkResult result = create(&info, NULL, &out->instance);
	if (result < 0) return result;
#define F(name) out->name = (PFN_vk##name)get(out->instance, "vk" #name);
	GAZE_INSTANCE_FUNCTIONS(F)
	GAZE_OPTIONAL_FUNCTIONS(F)
#undef F
	int complete = 1;
#define F(name) complete &= out->name != NULL;
	GAZE_INSTANCE_FUNCTIONS(F)
#undef F
	if (!complete) {
		if (out->DestroyInstance) out->DestroyInstance(out->instance, NULL);
		return VK_ERROR_INCOMPATIBLE_DRIVER;
	}
	if (debug && out->CreateDebugUtilsMessengerEXT) {
		messenger.pNext = NULL;
		out->CreateDebugUtilsMessengerEXT(out->instance, &messenger, NULL, &out->messenger);
	}
	return VK_SUCCESS;
}

void gaze_destroy_instance(gaze_instance *instance) {
	if (instance->messenger) instance->DestroyDebugUtilsMessengerEXT(instance->instance, instance->messenger, NULL);
	instance->DestroyInstance(instance->instance, NULL);
}

static int has_device_extension(gaze_instance *instance, VkPhysicalDevice adapter, const char *name) {
	uint32_t count = 0;
	if (instance->EnumerateDeviceExtensionProperties(adapter, NULL, &count, NULL) < 0 || !count) return 0;
	VkExtensionProperties *list = calloc(count, sizeof *list);
	int found = 0;
	if (list && instance->EnumerateDeviceExtensionProperties(adapter, NULL, &count, list) >= 0)
		for (uint32_t i = 0; i < count; i++) found |= !strcmp(list[i].extensionName, name);
	free(list);
	return found;
}

// Feature structs may only be chained where their extension or version exists.
typedef struct {
	VkPhysicalDeviceFeatures2 core;
	VkPhysicalDevice16BitStorageFeatures storage16;
	VkPhysicalDeviceShaderFloat16Int8Features float16;
	VkPhysicalDevice8BitStorageFeatures storage8;
	VkPhysicalDeviceVulkanMemoryModelFeatures memory_model;
	VkPhysicalDeviceSubgroupSizeControlFeatures size_control;
	VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix;
	VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable;
	VkPhysicalDeviceShaderIntegerDotProductFeatures dot;
	const char *extensions[16];
	uint32_t extension_count;
} gaze_features;

static void chain_features(gaze_instance *instance, VkPhysicalDevice adapter, uint32_t api, gaze_features *f) {
	memset(f, 0, sizeof *f);
	f->core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
	f->storage16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
	f->float16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES;
	f->storage8.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES;
	f->memory_model.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES;
	f->size_control.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES;
	f->matrix.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR;
	f->executable.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR;
	f->dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES;
	const void *head = NULL;
	push(&head, &f->storage16); // core since 1.1
	struct {
		uint32_t core_since;
		const char *extension;
		void *link;
	} const table[] = {
		{VK_API_VERSION_1_2, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, &f->float16},
		{VK_API_VERSION_1_2, VK_KHR_8BIT_STORAGE_EXTENSION_NAME, &f->storage8},
		{VK_API_VERSION_1_2, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME, &f->memory_model},
		{VK_API_VERSION_1_3, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, &f->size_control},
		{VK_API_VERSION_1_3, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, &f->dot},
		{UINT32_MAX, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, &f->matrix},
		{UINT32_MAX, VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME, &f->executable},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (api < table[i].core_since) {
			if (!has_device_extension(instance, adapter, table[i].extension)) continue;
			f->extensions[f->extension_count++] = table[i].extension;
		}
		push(&head, table[i].link);
	}
	// The specification demands this one be enabled where it exists.
	if (has_device_extension(instance, adapter, "VK_KHR_portability_subset")) f->extensions[f->extension_count++] = "VK_KHR_portability_subset";
	f->core.pNext = (void *)head;
	instance->GetPhysicalDeviceFeatures2(adapter, &f->core);
}

void gaze_get_properties(gaze_instance *instance, VkPhysicalDevice adapter, gaze_properties *out) {
	memset(out, 0, sizeof *out);
	VkPhysicalDeviceProperties2 p = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
	instance->GetPhysicalDeviceProperties2(adapter, &p);
	uint32_t api = p.properties.apiVersion;

	VkPhysicalDeviceSubgroupProperties subgroup = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
	VkPhysicalDeviceMaintenance3Properties sizes = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
	VkPhysicalDeviceDriverProperties driver = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
	VkPhysicalDeviceSubgroupSizeControlProperties control = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
	VkPhysicalDeviceMaintenance4Properties buffers = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES};
	const void *head = NULL;
	push(&head, &subgroup);
	push(&head, &sizes);
	if (api >= VK_API_VERSION_1_2 || has_device_extension(instance, adapter, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) push(&head, &driver);
	if (api >= VK_API_VERSION_1_3 || has_device_extension(instance, adapter, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) push(&head, &control);
	if (api >= VK_API_VERSION_1_3 || has_device_extension(instance, adapter, VK_KHR_MAINTENANCE_4_EXTENSION_NAME)) push(&head, &buffers);
	p.pNext = (void *)head;
	instance->GetPhysicalDeviceProperties2(adapter, &p);

	const VkPhysicalDeviceLimits *l = &p.properties.limits;
	snprintf(out->name, sizeof out->name, "%s", p.properties.deviceName);
	snprintf(out->driver_name, sizeof out->driver_name, "%s", driver.driverName);
	snprintf(out->driver_info, sizeof out->driver_info, "%s", driver.driverInfo);
	out->type = p.properties.deviceType;
	out->vendor = p.properties.vendorID;
	out->device = p.properties.deviceID;
	out->api = api;
	out->driver_version = p.properties.driverVersion;
	out->driver_id = driver.driverID;
	memcpy(out->cache_uuid, p.properties.pipelineCacheUUID, sizeof out->cache_uuid);
	out->max_storage_range = l->maxStorageBufferRange;
	out->max_allocation = sizes.maxMemoryAllocationSize;
	out->max_buffer = buffers.maxBufferSize;
	out->storage_alignment = l->minStorageBufferOffsetAlignment;
	out->atom_size = l->nonCoherentAtomSize;
	out->max_push = l->maxPushConstantsSize;
	out->max_shared = l->maxComputeSharedMemorySize;
	out->max_invocations = l->maxComputeWorkGroupInvocations;
	memcpy(out->max_group_size, l->maxComputeWorkGroupSize, sizeof out->max_group_size);
	memcpy(out->max_group_count, l->maxComputeWorkGroupCount, sizeof out->max_group_count);
	out->max_allocations = l->maxMemoryAllocationCount;
	out->timestamp_period = l->timestampPeriod;
	out->subgroup_size = out->subgroup_min = out->subgroup_max = subgroup.subgroupSize;
	if (control.maxSubgroupSize) out->subgroup_min = control.minSubgroupSize, out->subgroup_max = control.maxSubgroupSize;
	out->subgroup_operations = subgroup.supportedOperations;
	out->subgroup_in_compute = (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;

	gaze_features f;
	chain_features(instance, adapter, api, &f);
	out->float16 = f.float16.shaderFloat16;
	out->int8 = f.float16.shaderInt8;
	out->storage16 = f.storage16.storageBuffer16BitAccess;
	out->storage8 = f.storage8.storageBuffer8BitAccess;
	out->size_control = f.size_control.subgroupSizeControl &&
	    (control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
	out->full_subgroups = f.size_control.computeFullSubgroups;
	out->memory_model = f.memory_model.vulkanMemoryModel;
	out->cooperative_matrix = f.matrix.cooperativeMatrix && f.memory_model.vulkanMemoryModel;
	out->robust_access = f.core.features.robustBufferAccess;
	out->executable_properties = f.executable.pipelineExecutableInfo;
	out->integer_dot = f.dot.shaderIntegerDotProduct;
	out->portability = has_device_extension(instance, adapter, "VK_KHR_portability_subset");
}

uint32_t gaze_matrix_shapes(gaze_instance *instance, VkPhysicalDevice adapter, VkCooperativeMatrixPropertiesKHR *out, uint32_t count) {
	uint32_t total = 0;
	if (!instance->GetPhysicalDeviceCooperativeMatrixPropertiesKHR ||
	    instance->GetPhysicalDeviceCooperativeMatrixPropertiesKHR(adapter, &total, NULL) < 0)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		memset(&out[i], 0, sizeof out[i]);
		out[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
	}
	if (count < total) total = count;
	return instance->GetPhysicalDeviceCooperativeMatrixPropertiesKHR(adapter, &total, out) < 0 ? 0 : total;
}

int gaze_compute_family(gaze_instance *instance, VkPhysicalDevice adapter, uint32_t *bits) {
	VkQueueFamilyProperties families[64];
	uint32_t count = 64;
	instance->GetPhysicalDeviceQueueFamilyProperties(adapter, &count, families);
	int found = -1;
	for (uint32_t i = 0; i < count; i++) {
		if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
		int better = found < 0 || !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT);
		if (better) found = (int)i, *bits = families[i].timestampValidBits;
		if (!(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT)) break;
	}
	return found;
}

VkResult gaze_create_device(gaze_instance *instance, VkPhysicalDevice adapter, uint32_t family, const gaze_properties *p, VkDevice *out) {
	gaze_features f;
	chain_features(instance, adapter, p->api, &f);
	VkPhysicalDeviceFeatures core = {0};
	// Out-of-bounds reads give zeros and writes vanish: a wrong index in a kernel stays a wrong number.
	core.robustBufferAccess = f.core.features.robustBufferAccess;
	f.core.features = core;
	float priority = 1;
	VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, NULL, 0, family, 1, &priority};
	VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &f.core, 0, 1, &queue, 0, NULL, f.extension_count, f.extensions, NULL};
	return instance->CreateDevice(adapter, &info, NULL, out);
}

VkResult gaze_create_set_layout(gaze_instance *instance, VkDevice device, uint32_t count, VkDescriptorSetLayout *out) {
	VkDescriptorSetLayoutBinding bindings[32] = {{0}};
	if (count > 32) return VK_ERROR_INITIALIZATION_FAILED;
	for (uint32_t i = 0; i < count; i++)
		bindings[i] = (VkDescriptorSetLayoutBinding){i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	VkDescriptorSetLayoutCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, NULL, 0, count, bindings};
	return instance->CreateDescriptorSetLayout(device, &info, NULL, out);
}

VkResult gaze_create_pipeline_layout(gaze_instance *instance, VkDevice device, VkDescriptorSetLayout set, uint32_t push_size, VkPipelineLayout *out) {
	VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, push_size};
	VkPipelineLayoutCreateInfo info = {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, NULL, 0, 1, &set, push_size ? 1 : 0, &range};
	return instance->CreatePipelineLayout(device, &info, NULL, out);
}

VkResult gaze_create_pipeline(gaze_instance *instance, VkDevice device, VkPipelineCache cache, VkPipelineLayout layout, VkShaderModule module,
    uint32_t count, const uint32_t *constants, uint32_t subgroup, int full_subgroups, int statistics, VkPipeline *out) {
	VkSpecializationMapEntry entries[64];
	uint32_t values[64];
	if (count > 64) return VK_ERROR_INITIALIZATION_FAILED;
	for (uint32_t i = 0; i < count; i++) {
		entries[i] = (VkSpecializationMapEntry){constants[2 * i], 4 * i, 4};
		values[i] = constants[2 * i + 1];
	}
	VkSpecializationInfo specialization = {count, entries, 4 * count, values};
	VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
		VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO, NULL, subgroup};
	VkComputePipelineCreateInfo info = {VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
	info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT | (statistics ? VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR : 0);
	info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
	info.stage.pNext = subgroup ? &size : NULL;
	info.stage.flags = full_subgroups ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0;
	info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
	info.stage.module = module;
	info.stage.pName = "main";
	info.stage.pSpecializationInfo = &specialization;
	info.layout = layout;
	return instance->CreateComputePipelines(device, cache, 1, &info, NULL, out);
}

uint32_t gaze_pipeline_statistics(gaze_instance *instance, VkDevice device, VkPipeline pipeline, gaze_statistic *out, uint32_t count) {
	if (!instance->GetPipelineExecutableStatisticsKHR) return 0;
	VkPipelineExecutableInfoKHR info = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, NULL, pipeline, 0};
	uint32_t total = 0, filled = 0;
	if (instance->GetPipelineExecutableStatisticsKHR(device, &info, &total, NULL) < 0 || !total) return 0;
	VkPipelineExecutableStatisticKHR *list = calloc(total, sizeof *list);
	if (!list) return 0;
	for (uint32_t i = 0; i < total; i++) list[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
	if (instance->GetPipelineExecutableStatisticsKHR(device, &info, &total, list) >= 0) {
		for (; filled < total && filled < count; filled++) {
			snprintf(out[filled].name, sizeof out[filled].name, "%s", list[filled].name);
			switch (list[filled].format) {
			case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: out[filled].value = list[filled].value.b32; break;
			case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: out[filled].value = (double)list[filled].value.i64; break;
			case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR: out[filled].value = (double)list[filled].value.u64; break;
			default: out[filled].value = list[filled].value.f64;
			}
		}
	}
	free(list);
	return filled;
}

VkResult gaze_create_descriptor_pool(gaze_instance *instance, VkDevice device, uint32_t sets, uint32_t buffers, VkDescriptorPool *out) {
	VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffers};
	VkDescriptorPoolCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, NULL, 0, sets, 1, &size};
	return instance->CreateDescriptorPool(device, &info, NULL, out);
}

VkResult gaze_allocate_set(gaze_instance *instance, VkDevice device, VkDescriptorPool pool, VkDescriptorSetLayout layout, VkDescriptorSet *out) {
	VkDescriptorSetAllocateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, NULL, pool, 1, &layout};
	return instance->AllocateDescriptorSets(device, &info, out);
}

void gaze_write_set(gaze_instance *instance, VkDevice device, VkDescriptorSet set, uint32_t count, const VkDescriptorBufferInfo *buffers) {
	VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, NULL, set, 0, 0, count, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, NULL, buffers, NULL};
	// One write covers consecutive bindings of one type and stage.
	instance->UpdateDescriptorSets(device, 1, &write, 0, NULL);
}

void gaze_barrier(gaze_instance *instance, VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags used) {
	VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, NULL, written, used};
	instance->CmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

void gaze_copy(gaze_instance *instance, VkCommandBuffer commands, VkBuffer from, uint64_t from_offset, VkBuffer to, uint64_t to_offset, uint64_t size) {
	VkBufferCopy region = {from_offset, to_offset, size};
	instance->CmdCopyBuffer(commands, from, to, 1, &region);
}

void gaze_dispatch(gaze_instance *instance, VkCommandBuffer commands, const uint32_t base[3], const uint32_t groups[3]) {
	instance->CmdDispatchBase(commands, base[0], base[1], base[2], groups[0], groups[1], groups[2]);
}

VkResult gaze_submit(gaze_instance *instance, VkQueue queue, VkCommandBuffer commands, VkFence fence) {
	VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
	info.commandBufferCount = 1;
	info.pCommandBuffers = &commands;
	return instance->QueueSubmit(queue, 1, &info, fence);
}

VkResult gaze_flush(gaze_instance *instance, VkDevice device, VkDeviceMemory memory, uint64_t offset, uint64_t size, int invalidate) {
	VkMappedMemoryRange range = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, NULL, memory, offset, size};
	return invalidate ? instance->InvalidateMappedMemoryRanges(device, 1, &range) : instance->FlushMappedMemoryRanges(device, 1, &range);
}
