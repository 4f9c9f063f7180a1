// Descriptor sets, recording and submitting.
#include "shim.h"

VkResult gaze_create_descriptor_pool(gaze_instance *instance, VkDevice device, uint32_t sets, uint32_t buffers, VkDescriptorPool *out) {
	VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffers}, {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, buffers}};
	VkDescriptorPoolCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, NULL, 0, sets, 2, sizes};
	return instance->CreateDescriptorPool(device, &info, NULL, out);
}

VkResult gaze_allocate_set(gaze_instance *instance, VkDevice device, VkDescriptorPool pool, VkDescriptorSetLayout layout, VkDescriptorSet *out) {
	VkDescriptorSetAllocateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, NULL, pool, 1, &layout};
	return instance->AllocateDescriptorSets(device, &info, out);
}

void gaze_write_set(gaze_instance *instance, VkDevice device, VkDescriptorSet set, uint32_t count, const VkDescriptorBufferInfo *buffers,
    const VkBufferView *views) {
	VkWriteDescriptorSet writes[GAZE_MAX_BINDINGS];
	for (uint32_t i = 0; i < count; i++) {
		VkDescriptorType type = views[i] ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
		writes[i] = (VkWriteDescriptorSet){VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, NULL, set, i, 0, 1, type, NULL, &buffers[i], &views[i]};
	}
	instance->UpdateDescriptorSets(device, count, writes, 0, NULL);
}

VkResult gaze_create_buffer_view(gaze_instance *instance, VkDevice device, VkBuffer buffer, VkFormat format, uint64_t offset, uint64_t size,
    VkBufferView *out) {
	VkBufferViewCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO, NULL, 0, buffer, format, offset, size};
	return instance->CreateBufferView(device, &info, NULL, out);
}

void gaze_destroy_buffer_view(gaze_instance *instance, VkDevice device, VkBufferView view) { instance->DestroyBufferView(device, view, NULL); }

void gaze_barrier(gaze_instance *instance, VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags used) {
	VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, NULL, written, used};
	instance->CmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

void gaze_copy(gaze_instance *instance, VkCommandBuffer commands, VkBuffer from, uint64_t from_offset, VkBuffer to, uint64_t to_offset, uint64_t size) {
	VkBufferCopy region = {from_offset, to_offset, size};
	instance->CmdCopyBuffer(commands, from, to, 1, &region);
}

void gaze_dispatch(gaze_instance *instance, VkCommandBuffer commands, const uint32_t base[3], const uint32_t groups[3]) {
	// Older validation layers do not see the hazards of vkCmdDispatchBase, so it serves only where it must.
	if (!base[0] && !base[1] && !base[2]) instance->CmdDispatch(commands, groups[0], groups[1], groups[2]);
	else instance->CmdDispatchBase(commands, base[0], base[1], base[2], groups[0], groups[1], groups[2]);
}

VkResult gaze_submit(gaze_instance *instance, VkQueue queue, VkCommandBuffer commands, VkSemaphore wait, VkSemaphore signal, VkFence fence) {
	static const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
	VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
	info.waitSemaphoreCount = wait != VK_NULL_HANDLE;
	info.pWaitSemaphores = &wait;
	info.pWaitDstStageMask = &stage;
	info.commandBufferCount = 1;
	info.pCommandBuffers = &commands;
	info.signalSemaphoreCount = signal != VK_NULL_HANDLE;
	info.pSignalSemaphores = &signal;
	return instance->QueueSubmit(queue, 1, &info, fence);
}

VkResult gaze_flush(gaze_instance *instance, VkDevice device, VkDeviceMemory memory, uint64_t offset, uint64_t size, int invalidate) {
	VkMappedMemoryRange range = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, NULL, memory, offset, size};
	return invalidate ? instance->InvalidateMappedMemoryRanges(device, 1, &range) : instance->FlushMappedMemoryRanges(device, 1, &range);
}
