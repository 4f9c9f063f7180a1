// What an adapter can do, and the device made of it.
#include "shim.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gaze_has_device_extension(gaze_instance *instance, VkPhysicalDevice adapter, const char *name) {
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
	VkPhysicalDeviceMaintenance4Features maintenance4;
	VkPhysicalDeviceCooperativeMatrix2FeaturesNV matrix2;
	const char *extensions[16];
	uint32_t extension_count;
} gaze_features;

static void chain_features(gaze_instance *instance, VkPhysicalDevice adapter, uint32_t version, gaze_features *f) {
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
	f->maintenance4.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES;
	f->matrix2.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV;
	const void *head = NULL;
	gaze_chain(&head, &f->storage16); // core since 1.1
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
		{VK_API_VERSION_1_3, VK_KHR_MAINTENANCE_4_EXTENSION_NAME, &f->maintenance4},
		{UINT32_MAX, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, &f->matrix},
		{UINT32_MAX, VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME, &f->matrix2},
		{UINT32_MAX, VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME, &f->executable},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (version < table[i].core_since) {
			if (!gaze_has_device_extension(instance, adapter, table[i].extension)) continue;
			f->extensions[f->extension_count++] = table[i].extension;
		}
		gaze_chain(&head, table[i].link);
	}
	// The specification demands this one be enabled where it exists.
	if (gaze_has_device_extension(instance, adapter, "VK_KHR_portability_subset")) f->extensions[f->extension_count++] = "VK_KHR_portability_subset";
	f->core.pNext = (void *)head;
	instance->GetPhysicalDeviceFeatures2(adapter, &f->core);
	// A kernel needs these three or none; its SPIR-V is 1.6, as the extension demands, which names a workgroup's size by LocalSizeId.
	VkBool32 all = version >= VK_API_VERSION_1_3 && f->maintenance4.maintenance4 && f->matrix.cooperativeMatrix && f->memory_model.vulkanMemoryModel &&
	    f->matrix2.cooperativeMatrixReductions && f->matrix2.cooperativeMatrixConversions && f->matrix2.cooperativeMatrixPerElementOperations;
	f->matrix2 = (VkPhysicalDeviceCooperativeMatrix2FeaturesNV){f->matrix2.sType, f->matrix2.pNext, .cooperativeMatrixReductions = all,
	    .cooperativeMatrixConversions = all, .cooperativeMatrixPerElementOperations = all};
}

// Sets out->family to the queue family to use, one without graphics before one with, or -1.
static void choose_family(gaze_instance *instance, VkPhysicalDevice adapter, gaze_properties *out) {
	VkQueueFamilyProperties families[64];
	uint32_t count = 64;
	instance->GetPhysicalDeviceQueueFamilyProperties(adapter, &count, families);
	out->family = -1;
	for (uint32_t i = 0; i < count; i++) {
		int graphics = (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0;
		if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || (graphics && out->family >= 0)) continue;
		out->family = (int32_t)i;
		out->timestamp_bits = families[i].timestampValidBits;
		if (!graphics) break;
	}
}

// Whether the memory of a buffer can leave one device and enter another as a file descriptor.
static uint32_t shares_memory(gaze_instance *instance, VkPhysicalDevice adapter) {
	if (!gaze_has_device_extension(instance, adapter, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)) return 0;
	VkPhysicalDeviceExternalBufferInfo info = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO};
	info.usage = GAZE_BUFFER_USAGE;
	info.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
	VkExternalBufferProperties properties = {VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
	instance->GetPhysicalDeviceExternalBufferProperties(adapter, &info, &properties);
	VkExternalMemoryFeatureFlags both = VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
	return (properties.externalMemoryProperties.externalMemoryFeatures & both) == both;
}

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

void gaze_get_properties(gaze_instance *instance, VkPhysicalDevice adapter, gaze_properties *out) {
	memset(out, 0, sizeof *out);
	VkPhysicalDeviceProperties2 p = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
	instance->GetPhysicalDeviceProperties2(adapter, &p);
	// What is newer than the instance asked for must not be used, whatever the device has.
	uint32_t version = least(p.properties.apiVersion, instance->api);

	VkPhysicalDeviceSubgroupProperties subgroup = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
	VkPhysicalDeviceIDProperties id = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
	VkPhysicalDeviceMaintenance3Properties sizes = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
	VkPhysicalDeviceDriverProperties driver = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
	VkPhysicalDeviceSubgroupSizeControlProperties control = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
	VkPhysicalDeviceMaintenance4Properties buffers = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES};
	VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nvidia = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV};
	VkPhysicalDeviceShaderCorePropertiesAMD amd = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD};
	VkPhysicalDeviceShaderCoreBuiltinsPropertiesARM arm = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_BUILTINS_PROPERTIES_ARM};
	gaze_features f;
	memset(&f, 0, sizeof f);
	if (version >= VK_API_VERSION_1_1) {
		const void *head = NULL;
		gaze_chain(&head, &subgroup);
		gaze_chain(&head, &id);
		gaze_chain(&head, &sizes);
		if (version >= VK_API_VERSION_1_2 || gaze_has_device_extension(instance, adapter, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) gaze_chain(&head, &driver);
		if (version >= VK_API_VERSION_1_3 || gaze_has_device_extension(instance, adapter, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) gaze_chain(&head, &control);
		if (version >= VK_API_VERSION_1_3 || gaze_has_device_extension(instance, adapter, VK_KHR_MAINTENANCE_4_EXTENSION_NAME)) gaze_chain(&head, &buffers);
		if (gaze_has_device_extension(instance, adapter, VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME)) gaze_chain(&head, &nvidia);
		if (gaze_has_device_extension(instance, adapter, VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME)) gaze_chain(&head, &amd);
		if (gaze_has_device_extension(instance, adapter, VK_ARM_SHADER_CORE_BUILTINS_EXTENSION_NAME)) gaze_chain(&head, &arm);
		p.pNext = (void *)head;
		instance->GetPhysicalDeviceProperties2(adapter, &p);
		chain_features(instance, adapter, version, &f);
		out->shared_memory = shares_memory(instance, adapter);
	}
	choose_family(instance, adapter, out);

	const VkPhysicalDeviceLimits *l = &p.properties.limits;
	snprintf(out->name, sizeof out->name, "%s", p.properties.deviceName);
	snprintf(out->driver_name, sizeof out->driver_name, "%s", driver.driverName);
	snprintf(out->driver_info, sizeof out->driver_info, "%s", driver.driverInfo);
	out->type = p.properties.deviceType;
	out->vendor = p.properties.vendorID;
	out->device = p.properties.deviceID;
	out->api = p.properties.apiVersion;
	out->version = version;
	out->driver_version = p.properties.driverVersion;
	out->driver_id = driver.driverID;
	memcpy(out->cache_uuid, p.properties.pipelineCacheUUID, sizeof out->cache_uuid);
	memcpy(out->device_uuid, id.deviceUUID, sizeof out->device_uuid);
	memcpy(out->driver_uuid, id.driverUUID, sizeof out->driver_uuid);
	out->max_storage_range = l->maxStorageBufferRange;
	out->max_allocation = sizes.maxMemoryAllocationSize;
	out->max_buffer = buffers.maxBufferSize;
	out->storage_alignment = l->minStorageBufferOffsetAlignment;
	out->texel_alignment = l->minTexelBufferOffsetAlignment;
	out->max_texels = l->maxTexelBufferElements;
	out->atom_size = l->nonCoherentAtomSize;
	out->max_push = l->maxPushConstantsSize;
	out->max_shared = l->maxComputeSharedMemorySize;
	out->max_invocations = l->maxComputeWorkGroupInvocations;
	memcpy(out->max_group_size, l->maxComputeWorkGroupSize, sizeof out->max_group_size);
	memcpy(out->max_group_count, l->maxComputeWorkGroupCount, sizeof out->max_group_count);
	out->max_storage_buffers = least(least(l->maxPerStageDescriptorStorageBuffers, l->maxDescriptorSetStorageBuffers), l->maxPerStageResources);
	out->max_allocations = l->maxMemoryAllocationCount;
	out->timestamp_period = l->timestampPeriod;
	out->cores = nvidia.shaderSMCount + amd.shaderEngineCount * amd.shaderArraysPerEngineCount * amd.computeUnitsPerShaderArray + arm.shaderCoreCount;
	out->subgroup_size = out->subgroup_min = out->subgroup_max = subgroup.subgroupSize;
	if (control.maxSubgroupSize) out->subgroup_min = control.minSubgroupSize, out->subgroup_max = control.maxSubgroupSize;
	out->subgroup_operations = subgroup.supportedOperations;
	out->subgroup_in_compute = (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;

	out->float16 = f.float16.shaderFloat16;
	out->int8 = f.float16.shaderInt8;
	out->storage16 = f.storage16.storageBuffer16BitAccess;
	out->storage8 = f.storage8.storageBuffer8BitAccess;
	out->size_control = f.size_control.subgroupSizeControl &&
	    (control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
	out->full_subgroups = f.size_control.computeFullSubgroups;
	out->memory_model = f.memory_model.vulkanMemoryModel;
	out->cooperative_matrix = f.matrix.cooperativeMatrix && f.memory_model.vulkanMemoryModel;
	out->matrix_reductions = f.matrix2.cooperativeMatrixReductions;
	out->robust_access = f.core.features.robustBufferAccess;
	out->executable_properties = f.executable.pipelineExecutableInfo;
	out->integer_dot = f.dot.shaderIntegerDotProduct;
	out->portability = gaze_has_device_extension(instance, adapter, "VK_KHR_portability_subset");
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

VkResult gaze_create_device(gaze_instance *instance, VkPhysicalDevice adapter, const gaze_properties *p, int swapchains, VkDevice *out) {
	gaze_features f;
	chain_features(instance, adapter, p->version, &f);
	if (gaze_has_device_extension(instance, adapter, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME))
		f.extensions[f.extension_count++] = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
	if (swapchains) f.extensions[f.extension_count++] = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
	VkPhysicalDeviceFeatures core = {0};
	// Out-of-bounds reads give zeros and writes vanish: a wrong index in a kernel stays a wrong number.
	core.robustBufferAccess = f.core.features.robustBufferAccess;
	f.core.features = core;
	float priority = 1;
	VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, NULL, 0, (uint32_t)p->family, 1, &priority};
	VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &f.core, 0, 1, &queue, 0, NULL, f.extension_count, f.extensions, NULL};
	return instance->CreateDevice(adapter, &info, NULL, out);
}
