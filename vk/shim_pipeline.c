// Pipelines and what the driver's compiler says of them.
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>

VkResult gaze_create_set_layout(gaze_instance *instance, VkDevice device, VkShaderStageFlags stages, uint32_t count, uint32_t texels,
    VkDescriptorSetLayout *out) {
	VkDescriptorSetLayoutBinding bindings[GAZE_MAX_BINDINGS] = {{0}};
	if (count > GAZE_MAX_BINDINGS) return VK_ERROR_INITIALIZATION_FAILED;
	for (uint32_t i = 0; i < count; i++)
		bindings[i] = (VkDescriptorSetLayoutBinding){i, texels >> i & 1 ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, stages, NULL};
	VkDescriptorSetLayoutCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, NULL, 0, count, bindings};
	return instance->CreateDescriptorSetLayout(device, &info, NULL, out);
}

VkResult gaze_create_pipeline_layout(gaze_instance *instance, VkDevice device, VkShaderStageFlags stages, VkDescriptorSetLayout set, uint32_t push_size,
    VkPipelineLayout *out) {
	VkPushConstantRange range = {stages, 0, push_size};
	VkPipelineLayoutCreateInfo info = {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, NULL, 0, 1, &set, push_size ? 1 : 0, &range};
	return instance->CreatePipelineLayout(device, &info, NULL, out);
}

VkResult gaze_create_pipeline(gaze_instance *instance, VkDevice device, VkPipelineCache cache, VkPipelineLayout layout, VkShaderModule module,
    uint32_t count, const uint32_t *constants, uint32_t subgroup, int full_subgroups, int statistics, VkPipeline *out) {
	VkSpecializationMapEntry entries[GAZE_MAX_CONSTANTS];
	uint32_t values[GAZE_MAX_CONSTANTS];
	if (count > GAZE_MAX_CONSTANTS) return VK_ERROR_INITIALIZATION_FAILED;
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
	if (!instance->GetPipelineExecutablePropertiesKHR || !instance->GetPipelineExecutableStatisticsKHR) return 0;
	VkPipelineInfoKHR which = {VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, NULL, pipeline};
	uint32_t executables = 0;
	if (instance->GetPipelineExecutablePropertiesKHR(device, &which, &executables, NULL) < 0 || !executables) return 0;
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
